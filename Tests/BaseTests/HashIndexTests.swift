import Base
import Testing

@Suite struct HashIndexTests {
    @Test(arguments: 0..<4)
    func `the index agrees with a dictionary`(_ seed: UInt64) {
        var random = RandomSource(seed: seed)
        var index = HashIndex()
        var model: [UInt64: Int] = [:]
        for _ in 0..<5_000 {
            // Few distinct hashes whose low bits collide, so that runs are long and wrap around.
            let hash = random.next() & 0xff << 56 | random.next() & 0x3f
            if Bool.random(using: &random) {
                let slot = Int.random(in: 0..<1_000, using: &random)
                index.set(hash, slot)
                model[hash] = slot
            } else {
                index.remove(hash)
                model[hash] = nil
            }
            guard index.count == model.count, index.find(hash) == model[hash] else {
                return #expect(Bool(false), "index and dictionary differ")
            }
        }
        for (hash, slot) in model { #expect(index.find(hash) == slot) }
    }
}
