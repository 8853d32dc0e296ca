#if !arch(wasm32)
    import Base
    import UserAgent

    /// Drives a phone through its seam with a script of inputs: for the fuzzer and the tests of damage.
    ///
    /// The script is steps of one byte of kind, one byte of length, and that many bytes. Messages from the server may use
    /// what the phone sent: `%` in a message is replaced by a header block of the last request, so that responses match.
    package func fuzzSeam(_ script: [UInt8]) {
        var seam = Seam()
        var clock = 0.0
        var sent: [UInt8] = []
        var rest = script[...]
        var writer = FrameWriter(kind: 1)
        writer.add([UInt8](ascii: "sip:anna@example.org"))
        for _ in 0..<2 { writer.add([UInt8]()) }
        writer.add([UInt8](ascii: "secret") as [UInt8]?)
        writer.add([UInt8](ascii: "urn:uuid:00000000-0000-4000-8000-000000000001"))
        writer.add(UInt32(4))
        writer.add([UInt8](ascii: "abcdef.invalid"))
        for _ in 0..<4 { writer.add([UInt8]()) }
        writer.add(600)
        writer.add(1800)
        writer.add([UInt8]())
        writer.add(UInt32(2))
        precondition(seam.start(writer.bytes, random: RandomSource(seed: 7), milliseconds: 0) == Seam.success)
        seam.connected(milliseconds: 0)
        while let kind = rest.popFirst(), let count = rest.popFirst() {
            let data = Array(rest.prefix(Int(count)))
            rest = rest.dropFirst(Int(count))
            switch kind % 6 {
            case 0: _ = seam.command(data, milliseconds: clock)
            case 1: seam.received(answer(data, to: sent), milliseconds: clock)
            case 2: seam.received(data, milliseconds: clock)
            case 3:
                clock += Double(count) * 50
                seam.timeout(milliseconds: clock)
            case 4: seam.disconnected(milliseconds: clock)
            default: seam.connected(milliseconds: clock)
            }
            var outputs = 0
            while seam.poll() > 0 {
                if seam.output.first == 1 { sent = Array(seam.output.dropFirst(5)) }
                outputs += 1
                precondition(outputs < 10_000, "the phone never stops talking")
            }
        }
    }

    /// The text with the Via, From, To, Call-ID and CSeq lines of a request in the place of every `%`.
    private func answer(_ text: [UInt8], to request: [UInt8]) -> [UInt8] {
        var headers: [UInt8] = []
        for line in request.split(separator: ASCII.lineFeed) {
            let isWanted = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].contains { line.starts(with: $0.utf8) }
            if isWanted { headers += line + [ASCII.lineFeed] }
        }
        var out: [UInt8] = []
        for byte in text { if byte == ASCII.percent { out += headers } else { out.append(byte) } }
        return out
    }
#endif
