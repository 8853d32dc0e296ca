import Base
import SIP
import Testing

struct FramerTests {
    private func drain(_ framer: inout StreamFramer) throws -> [StreamFramer.Element] {
        var out: [StreamFramer.Element] = []
        while let element = try framer.next() { out.append(element) }
        return out
    }

    @Test func `finds the same messages however the stream is cut`() throws {
        let second = message("SIP/2.0 200 OK\nl: 0\n\n")
        let stream = invite + second + Array("\r\n".utf8) + invite + Array("\r\n\r\n".utf8) + invite
        var whole = StreamFramer()
        whole.receive(stream)
        let expected = try drain(&whole)
        let methods: [SIPMethod?] = expected.flatMap { element -> [SIPMethod?] in
            if case .message(let message) = element { [message.method] } else { [] }
        }
        #expect(methods == [.invite, nil, .invite, .invite])
        #expect(whole.bufferedBytes == 0 && !whole.isInsideMessage)
        for size in [1, 2, 3, 7, 64, 1000] {
            var framer = StreamFramer()
            var found: [StreamFramer.Element] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                framer.receive(stream[start..<min(start + size, stream.count)])
                found += try drain(&framer)
            }
            let messages = { (elements: [StreamFramer.Element]) in
                elements.filter { if case .message = $0 { true } else { false } }
            }
            #expect(messages(found) == messages(expected), "pieces of \(size)")
        }
    }

    @Test func `finds the second request of RFC 4475 §3.1.1.8, which a datagram would hide`() throws {
        var framer = StreamFramer()
        framer.receive(try tortureFile("rfc4475", "dblreq"))
        var methods: [SIPMethod?] = []
        while methods.count < 2, let element = try framer.next() {
            if case .message(let message) = element { methods.append(message.method) }
        }
        #expect(methods == [.register, .invite])
    }

    @Test func `tells pings from pongs`() throws {
        var framer = StreamFramer()
        framer.receive(Array("\r\n\r\n".utf8))
        #expect(try drain(&framer) == [.ping])
        framer.receive(Array("\r\n".utf8))
        #expect(try drain(&framer) == [.pong])
        framer.receive(invite)
        framer.receive(Array("\r\n".utf8))
        #expect(try drain(&framer).last == .pong)
        // A ping that comes in two pieces is still answered.
        framer.receive(Array("\r\n".utf8))
        #expect(try drain(&framer) == [.ping])
        framer.receive([0x0d])
        #expect(try drain(&framer).isEmpty)
        framer.receive([0x0a, 0x0d, 0x0a])
        #expect(try drain(&framer) == [.ping])
    }

    @Test func `ends a stream that breaks its limits or the grammar, and stays ended`() throws {
        var cases: [([UInt8], SIPParseError)] = [
            (message("INVITE sip:a SIP/2.0\nl: 70000\n\n"), .messageTooLong),
            (message("INVITE sip:a SIP/2.0\nl: -1\n\n"), .malformed(.contentLength)),
            (message("INVITE sip:a SIP/2.0\nl: 99999999999999999999\n\n"), .malformed(.contentLength)),
            (message("INVITE sip:a SIP/2.0\nl: \(Int.max)\n\n"), .messageTooLong),
            (message("INVITE sip:a SIP/2.0\nno colon\n\n"), .badHeaderLine(offset: 22)),
            (Array(repeating: 0x41, count: 100), .notSIP),
            ([0x16, 0x03, 0x01] + Array(repeating: 0, count: 100), .notSIP),
            (Array("\rINVITE".utf8), .notSIP),
        ]
        cases.append((message("INVITE sip:a SIP/2.0\nX: ") + Array(repeating: 0x61, count: 33_000), .headersTooLong))
        for (bytes, fault) in cases {
            var framer = StreamFramer()
            framer.receive(bytes)
            #expect(throws: fault) { try drain(&framer) }
            framer.receive(invite)
            #expect(throws: fault) { try drain(&framer) }
            #expect(framer.bufferedBytes == 0)
        }
    }

    @Test func `keeps what it rejects, for the answer`() throws {
        let via = "Via: SIP/2.0/TCP a;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:a@b>\n"
        for (head, status) in [("l: -1", 400), ("no colon", 400), ("l: 70000", 513)] {
            var framer = StreamFramer()
            framer.receive(invite + message("OPTIONS sip:a SIP/2.0\n\(via)Call-ID: 1\nCSeq: 1 OPTIONS\n\(head)\n\n"))
            var fault: SIPParseError?
            do throws(SIPParseError) { while try framer.next() != nil {} } catch { fault = error }
            let answer = SIPMessage.refusal(of: framer.rejected, because: try #require(fault))
            #expect(answer?.status == status)
            #expect(answer?.callID == [UInt8](ascii: "1")[...])
        }
        var framer = StreamFramer()
        framer.receive([0x16, 0x03, 0x01] + Array(repeating: 0, count: 100))
        #expect(throws: SIPParseError.notSIP) { try drain(&framer) }
        #expect(framer.rejected.isEmpty)
    }

    @Test func `holds back no more than a message`() throws {
        var framer = StreamFramer()
        for _ in 0..<2000 {
            framer.receive(invite)
            #expect(try drain(&framer).count == 1)
        }
        framer.receive(invite[..<100])
        #expect(try drain(&framer).isEmpty)
        #expect(framer.isInsideMessage && framer.bufferedBytes == 100)
    }
}
