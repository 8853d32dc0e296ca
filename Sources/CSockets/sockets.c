#define _GNU_SOURCE
#include "CSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

// Room for one IP_PKTINFO or IPV6_PKTINFO message.
#define CONTROL_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

typedef union {
    struct cmsghdr alignment;
    uint8_t bytes[CONTROL_SIZE];
} control_buffer;

struct hearth_batch {
    uint32_t count;
    uint32_t size;
    /// How many headers the last call changed, and the next must set up again.
    uint32_t used;
    uint8_t *slab;
    hearth_datagram *datagrams;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_in6 *names;
    control_buffer *controls;
};

static uint64_t half(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static void put_half(uint8_t *bytes, uint64_t value) {
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (uint8_t)value;
}

static void from_socket(const struct sockaddr_in6 *name, hearth_address *address) {
    if (name->sin6_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)name;
        address->family = 4;
        address->high = 0;
        address->low = ntohl(four->sin_addr.s_addr);
        address->port = ntohs(four->sin_port);
    } else {
        address->family = 6;
        address->high = half(name->sin6_addr.s6_addr);
        address->low = half(name->sin6_addr.s6_addr + 8);
        address->port = ntohs(name->sin6_port);
    }
}

static socklen_t to_socket(const hearth_address *address, struct sockaddr_in6 *name) {
    if (address->family == 4) {
        struct sockaddr_in *four = (struct sockaddr_in *)name;
        memset(four, 0, sizeof *four);
        four->sin_family = AF_INET;
        four->sin_addr.s_addr = htonl((uint32_t)address->low);
        four->sin_port = htons(address->port);
        return sizeof *four;
    }
    memset(name, 0, sizeof *name);
    name->sin6_family = AF_INET6;
    put_half(name->sin6_addr.s6_addr, address->high);
    put_half(name->sin6_addr.s6_addr + 8, address->low);
    name->sin6_port = htons(address->port);
    return sizeof *name;
}

hearth_batch *hearth_batch_create(uint32_t count, uint32_t size) {
    hearth_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->count = count;
    batch->size = size;
    batch->used = count;
    batch->slab = malloc((size_t)count * size);
    batch->datagrams = calloc(count, sizeof *batch->datagrams);
    batch->headers = calloc(count, sizeof *batch->headers);
    batch->vectors = calloc(count, sizeof *batch->vectors);
    batch->names = calloc(count, sizeof *batch->names);
    batch->controls = calloc(count, sizeof *batch->controls);
    if (!batch->slab || !batch->datagrams || !batch->headers || !batch->vectors || !batch->names || !batch->controls) {
        hearth_batch_destroy(batch);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        batch->datagrams[i].bytes = batch->slab + (size_t)i * size;
        batch->vectors[i].iov_base = batch->datagrams[i].bytes;
        batch->headers[i].msg_hdr.msg_iov = &batch->vectors[i];
        batch->headers[i].msg_hdr.msg_iovlen = 1;
        batch->headers[i].msg_hdr.msg_name = &batch->names[i];
    }
    return batch;
}

void hearth_batch_destroy(hearth_batch *batch) {
    if (!batch) return;
    free(batch->slab);
    free(batch->datagrams);
    free(batch->headers);
    free(batch->vectors);
    free(batch->names);
    free(batch->controls);
    free(batch);
}

hearth_datagram *hearth_batch_datagrams(hearth_batch *batch) { return batch->datagrams; }

static void read_local(struct msghdr *header, hearth_address *local) {
    local->family = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            local->family = 4;
            local->high = 0;
            local->low = ntohl(info.ipi_spec_dst.s_addr);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            local->family = 6;
            local->high = half(info.ipi6_addr.s6_addr);
            local->low = half(info.ipi6_addr.s6_addr + 8);
        }
    }
}

int hearth_batch_receive(hearth_batch *batch, int socket) {
    for (uint32_t i = 0; i < batch->used; i++) {
        batch->vectors[i].iov_len = batch->size;
        batch->headers[i].msg_hdr.msg_namelen = sizeof batch->names[i];
        batch->headers[i].msg_hdr.msg_control = &batch->controls[i];
        batch->headers[i].msg_hdr.msg_controllen = sizeof batch->controls[i];
        batch->headers[i].msg_hdr.msg_flags = 0;
    }
    int received = recvmmsg(socket, batch->headers, batch->count, MSG_DONTWAIT, NULL);
    batch->used = received > 0 ? (uint32_t)received : 0;
    if (received < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < received; i++) {
        hearth_datagram *datagram = &batch->datagrams[i];
        datagram->length = batch->headers[i].msg_len;
        datagram->truncated = (batch->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        from_socket(&batch->names[i], &datagram->peer);
        read_local(&batch->headers[i].msg_hdr, &datagram->local);
    }
    return received;
}

static void write_local(struct msghdr *header, control_buffer *control, const hearth_address *local) {
    header->msg_control = NULL;
    header->msg_controllen = 0;
    if (local->family == 0) return;
    memset(control, 0, sizeof *control);
    header->msg_control = control;
    header->msg_controllen = sizeof *control;
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    if (local->family == 4) {
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl((uint32_t)local->low)};
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = {0};
        put_half(info.ipi6_addr.s6_addr, local->high);
        put_half(info.ipi6_addr.s6_addr + 8, local->low);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

int hearth_batch_send(hearth_batch *batch, int socket, uint32_t from, uint32_t to) {
    if (to > batch->count || from >= to) return 0;
    for (uint32_t i = from; i < to; i++) {
        hearth_datagram *datagram = &batch->datagrams[i];
        batch->vectors[i].iov_len = datagram->length;
        batch->headers[i].msg_hdr.msg_flags = 0;
        batch->headers[i].msg_hdr.msg_namelen = to_socket(&datagram->peer, &batch->names[i]);
        write_local(&batch->headers[i].msg_hdr, &batch->controls[i], &datagram->local);
    }
    int sent = sendmmsg(socket, batch->headers + from, to - from, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
    return sent;
}

int hearth_udp_open(const hearth_address *address, uint32_t buffer_size) {
    int family = address->family == 4 ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1, size = (int)buffer_size;
    // The FORCE forms pass the system's limit and need CAP_NET_ADMIN; without it the limit applies.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // What routers and peers answer to our datagrams is kept for hearth_udp_unreachable.
    if (family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    else setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    if (address->high == 0 && address->low == 0) {
        if (family == AF_INET) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        else setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    }
    struct sockaddr_in6 name;
    socklen_t length = to_socket(address, &name);
    if (bind(fd, (struct sockaddr *)&name, length)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

// Says that nothing listens there, or that no way leads there. Not the others: time exceeded passes when routes settle,
// and a datagram too long for the path goes in pieces the next time.
static int is_unreachable(const struct sock_extended_err *error) {
    if (error->ee_origin == SO_EE_ORIGIN_ICMP) {
        return error->ee_type == ICMP_DEST_UNREACH && error->ee_code <= ICMP_PORT_UNREACH;
    }
    // RFC 4443 section 3.1: type 1, whatever the code.
    return error->ee_origin == SO_EE_ORIGIN_ICMP6 && error->ee_type == 1;
}

int hearth_udp_unreachable(int socket, hearth_address *peer) {
    union {
        struct cmsghdr alignment;
        uint8_t bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6)) + CONTROL_SIZE];
    } control;
    for (;;) {
        struct sockaddr_in6 name;
        uint8_t start[1];
        struct iovec vector = {.iov_base = start, .iov_len = sizeof start};
        struct msghdr header = {
            .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &vector, .msg_iovlen = 1,
            .msg_control = &control, .msg_controllen = sizeof control,
        };
        if (recvmsg(socket, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
            int is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
                || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!is_error) continue;
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            if (!is_unreachable(&error)) continue;
            from_socket(&name, peer);
            return 1;
        }
    }
}

int hearth_socket_address(int socket, hearth_address *address) {
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    if (getsockname(socket, (struct sockaddr *)&name, &length)) return -errno;
    from_socket(&name, address);
    return 0;
}

int hearth_address_read(const void *name, hearth_address *address) {
    const struct sockaddr_in6 *any = name;
    if (any->sin6_family != AF_INET && any->sin6_family != AF_INET6) return -1;
    from_socket(any, address);
    return 0;
}

int hearth_poll_create(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    return poll < 0 ? -errno : poll;
}

int hearth_poll_watch(int poll, int descriptor, uint64_t number) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}

int hearth_poll_wait(int poll, uint64_t *numbers, int maximum, int milliseconds) {
    struct epoll_event events[16];
    if (maximum > 16) maximum = 16;
    int count = epoll_wait(poll, events, maximum, milliseconds);
    if (count < 0) return 0;
    for (int i = 0; i < count; i++) {
        numbers[i] = events[i].data.u64 | (events[i].events & EPOLLERR ? HEARTH_POLL_ERROR : 0);
    }
    return count;
}

int hearth_wake_create(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

void hearth_wake(int descriptor) {
    uint64_t one = 1;
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

void hearth_wake_clear(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

void hearth_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
