// What Embedded Swift asks of a C library, for WebAssembly, where there is none: memory, moving bytes, 128-bit
// products and random numbers. scripts/build-wasm compiles it with the toolchain's clang, with -mbulk-memory, so that
// the compiler's own memory.copy and memory.fill do the moving.

typedef __SIZE_TYPE__ size;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;

// MARK: - Random numbers

__attribute__((import_module("env"), import_name("hearth_random"))) extern void hearth_random(void *bytes, size count);

void arc4random_buf(void *bytes, size count) { hearth_random(bytes, count); }

// MARK: - Bytes

void *memmove(void *to, const void *from, size count) { return __builtin_memmove(to, from, count); }
void *memcpy(void *restrict to, const void *restrict from, size count) { return __builtin_memcpy(to, from, count); }
void *memset(void *to, int value, size count) { return __builtin_memset(to, value, count); }

int memcmp(const void *left, const void *right, size count) {
    const u8 *a = left, *b = right;
    for (size i = 0; i < count; i++)
        if (a[i] != b[i]) return a[i] - b[i];
    return 0;
}

// MARK: - 128-bit arithmetic, for Duration

typedef union {
    __int128 whole;
    struct {
        u64 low, high;
    };
} wide;

static wide product(u64 a, u64 b) {
    u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
    u64 low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (u32)middle;
    wide result;
    result.low = other << 32 | (u32)low;
    result.high = a1 * b1 + (middle >> 32) + (other >> 32);
    return result;
}

__int128 __multi3(__int128 left, __int128 right) {
    wide a = {.whole = left}, b = {.whole = right}, result = product(a.low, b.low);
    result.high += a.high * b.low + a.low * b.high;
    return result.whole;
}

// MARK: - Memory

// Blocks lie side by side and know their own and their left neighbour's size, so that a freed block joins free
// neighbours on both sides. Free blocks hang in one list per power of two. Payloads are aligned to 16 bytes, and so
// block addresses are 8 beyond a multiple of 16. A used block of size 0 ends the heap.
typedef struct block {
    u32 left_size;
    u32 size;  // with header, a multiple of 16; bit 0: used
    struct block *next, *previous;  // of the free list; payload while used
} block;

enum { header = 8, smallest = 16, page = 65536, lists = 32 };

// More memory than a phone ever needs: a page that leaks ends here, as a trap and a restart, not by eating the machine.
enum { most_pages = 1024 };

extern u8 __heap_base;
static block *free_lists[lists];
static u32 list_mask;
static block *last;

static u32 size_of(const block *b) { return b->size & ~1u; }
static int is_used(const block *b) { return b->size & 1; }
static block *right_of(block *b) { return (block *)((u8 *)b + size_of(b)); }
static block *left_of(block *b) { return (block *)((u8 *)b - b->left_size); }
static u32 list_of(u32 bytes) { return 31 - __builtin_clz(bytes); }

static void set_size(block *b, u32 bytes, u32 used) {
    b->size = bytes | used;
    right_of(b)->left_size = bytes;
}

static void insert(block *b) {
    u32 list = list_of(size_of(b));
    b->previous = 0;
    b->next = free_lists[list];
    if (b->next) b->next->previous = b;
    free_lists[list] = b;
    list_mask |= 1u << list;
}

static void take_out(block *b) {
    u32 list = list_of(size_of(b));
    if (b->next) b->next->previous = b->previous;
    if (b->previous) b->previous->next = b->next;
    else free_lists[list] = b->next;
    if (!free_lists[list]) list_mask &= ~(1u << list);
}

static void release(block *b) {
    u32 bytes = size_of(b);
    block *right = right_of(b);
    if (!is_used(right)) {
        take_out(right);
        bytes += size_of(right);
    }
    if (b->left_size && !is_used(left_of(b))) {
        b = left_of(b);
        take_out(b);
        bytes += size_of(b);
    }
    set_size(b, bytes, 0);
    insert(b);
}

// Makes the heap longer by at least `bytes`; the new room is one free block, joined to a free block before it.
static int grow(u32 bytes) {
    u32 pages = (bytes + 2 * smallest + page - 1) / page;
    u32 old = __builtin_wasm_memory_size(0);
    if (!last) {
        u32 start = (((u32)&__heap_base + 15) & ~15u) + 8;
        last = (block *)start;
        last->left_size = 0;
        last->size = 1;
        if (old * page >= start + bytes + 2 * smallest) pages = 0;
    }
    if (pages) {
        if (old + pages > most_pages || __builtin_wasm_memory_grow(0, pages) == (size)-1) return 0;
    }
    block *fresh = last;
    u32 end = (old + pages) * page - header;
    last = (block *)end;
    last->size = 1;
    set_size(fresh, end - (u32)fresh, 1);
    release(fresh);
    return 1;
}

static block *find(u32 bytes) {
    u32 list = list_of(bytes);
    for (block *b = free_lists[list]; b; b = b->next)
        if (size_of(b) >= bytes) return b;
    u32 larger = list == 31 ? 0 : list_mask & ~((2u << list) - 1);
    return larger ? free_lists[__builtin_ctz(larger)] : 0;
}

// Marks `bytes` of a free block that is in no list as used, and gives back the rest.
static void *use(block *b, u32 bytes) {
    u32 rest = size_of(b) - bytes;
    if (rest >= smallest) {
        set_size(b, bytes, 1);
        block *second = right_of(b);
        set_size(second, rest, 1);
        release(second);
    } else {
        b->size |= 1;
    }
    return (u8 *)b + header;
}

static void *allocate(u32 wanted) {
    if (wanted > most_pages * page) return 0;
    u32 bytes = (wanted + header + 15) & ~15u;
    block *b = find(bytes);
    if (!b) {
        if (!grow(bytes)) return 0;
        b = find(bytes);
        if (!b) return 0;
    }
    take_out(b);
    return use(b, bytes);
}

void free(void *pointer) {
    if (!pointer) return;
    block *b = (block *)((u8 *)pointer - header);
    if (!is_used(b)) __builtin_trap();  // freed twice
    release(b);
}

int posix_memalign(void **result, size alignment, size wanted) {
    // Swift takes no memory at all for an error it can handle, so the end of memory is a trap: the page restarts the phone.
    if (alignment <= 16) {
        *result = allocate(wanted);
        if (!*result) __builtin_trap();
        return 0;
    }
    u8 *pointer = allocate(wanted + alignment + smallest);
    if (!pointer) __builtin_trap();
    u8 *aligned = (u8 *)(((u32)pointer + alignment - 1) & ~(alignment - 1));
    if (aligned != pointer) {
        // The front becomes a block of its own; alignment and header keep it a multiple of 16 and not empty.
        block *front = (block *)(pointer - header), *back = (block *)(aligned - header);
        u32 whole = size_of(front), cut = (u32)(aligned - pointer);
        set_size(front, cut, 1);
        set_size(back, whole - cut, 1);
        release(front);
    }
    *result = aligned;
    return 0;
}

void *malloc(size wanted) {
    void *result;
    posix_memalign(&result, 16, wanted);
    return result;
}

__attribute__((export_name("hearth_allocate"))) void *hearth_allocate(size wanted) { return malloc(wanted); }

__attribute__((export_name("hearth_free"))) void hearth_free(void *pointer, size wanted) {
    (void)wanted;
    free(pointer);
}

// Bytes in use, headers included: the tests' measure of leaks.
__attribute__((export_name("hearth_memory_used"))) u32 hearth_memory_used(void) {
    if (!last) return 0;
    u32 used = 0;
    block *first = (block *)((((u32)&__heap_base + 15) & ~15u) + 8);
    for (block *b = first; b != last; b = right_of(b))
        if (is_used(b)) used += size_of(b);
    return used;
}
