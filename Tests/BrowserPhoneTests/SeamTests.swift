import Base
import BrowserPhone
import SIP
import Testing
import UserAgent

struct SeamTests {
    /// A configuration frame, as the page writes it.
    static func configuration(aor: String = "sip:anna@example.org", transport: UInt32 = 4, trickle: UInt32 = 2)
        -> [UInt8]
    {
        var writer = FrameWriter(kind: 1)
        writer.add(Array(aor.utf8))
        writer.add(Array("Anna".utf8))
        writer.add([UInt8]())
        writer.add(nil as [UInt8]?)
        writer.add(Array("urn:uuid:00000000-0000-4000-8000-000000000001".utf8))
        writer.add(transport)
        writer.add(Array("abcdef.invalid".utf8))
        for _ in 0..<4 { writer.add([UInt8]()) }
        writer.add(600)
        writer.add(1800)
        writer.add(Array("Hearth".utf8))
        writer.add(trickle)
        return writer.bytes
    }

    private func started() -> Seam {
        var seam = Seam()
        #expect(seam.start(Self.configuration(), random: RandomSource(seed: 1), milliseconds: 0) == Seam.success)
        return seam
    }

    @Test func `reads a configuration`() throws {
        let configuration = try Configuration(frame: Self.configuration())
        #expect(configuration.transport == .wss && configuration.trickle == .full && configuration.password == nil)
        #expect(configuration.userAgentHeader == Array("Hearth".utf8) && configuration.sessionExpires == 1800)
        #expect(throws: FrameError.badValue) { try Configuration(frame: Self.configuration(transport: 9)) }
        #expect(throws: FrameError.badValue) { try Configuration(frame: Self.configuration(trickle: 3)) }
        #expect(throws: FrameError.unknownKind) { try Configuration(frame: [2]) }
        let frame = Self.configuration()
        for length in 0..<frame.count {
            #expect(throws: FrameError.truncated) { try Configuration(frame: Array(frame.prefix(length))) }
        }
    }

    @Test func `registers when connected and keeps a deadline`() {
        var seam = started()
        #expect(seam.poll() == 0)
        seam.connected(milliseconds: 10)
        #expect(seam.poll() > 0 && seam.output.first == 1)
        #expect(
            String(decoding: seam.output.dropFirst(5), as: UTF8.self).hasPrefix("REGISTER sip:example.org SIP/2.0\r\n"))
        #expect(seam.deadline > 10 && seam.deadline < .infinity)
    }

    @Test func `gives error numbers and stays usable`() {
        var seam = Seam()
        #expect(seam.command([1], milliseconds: 0) == Seam.Status(FrameError.notStarted.rawValue))
        #expect(seam.poll() == 0 && seam.deadline == .infinity)
        #expect(
            seam.start([], random: RandomSource(seed: 1), milliseconds: 0) == Seam.Status(FrameError.truncated.rawValue)
        )
        seam = started()
        #expect(seam.command([77], milliseconds: 0) == Seam.Status(FrameError.unknownKind.rawValue))
        let unknown = Command.hangUp(CallID(5)).frame
        #expect(seam.command(unknown, milliseconds: 0) == Seam.Status(CommandError.unknownCall.rawValue))
        #expect(
            seam.start(Self.configuration(aor: "nonsense"), random: RandomSource(seed: 1), milliseconds: 0)
                == Seam.Status(CommandError.badURI.rawValue))
    }

    @Test(arguments: [Double.nan, -1, 0, 1e300, .infinity, -.infinity, 9.3e12])
    func `survives any clock`(milliseconds: Double) {
        var seam = started()
        seam.connected(milliseconds: milliseconds)
        seam.timeout(milliseconds: milliseconds)
        while seam.poll() > 0 {}
        #expect(!seam.deadline.isNaN)
    }
}

struct SeamPropertyTests {
    /// Frames that are random, or nearly right, never trap; nor do messages of a server gone mad.
    @Test(arguments: 1...40)
    func `survives whatever is thrown at it`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var script: [UInt8] = []
        for _ in 0..<60 {
            var frame =
                random.next() % 3 == 0
                ? random.bytes(count: Int(random.next() % 40))
                : (FrameTests.commands.randomElement(using: &random)?.command.frame ?? [])
            if !frame.isEmpty, random.next() % 4 == 0 {
                frame[Int.random(in: 0..<frame.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            script.append(UInt8(truncatingIfNeeded: random.next() % 6))
            script.append(UInt8(truncatingIfNeeded: frame.count))
            script += frame.prefix(255)
        }
        fuzzSeam(script)
    }
}

struct SeamConversationTests {
    @Test func `is registered when the server says so`() throws {
        var seam = Seam()
        _ = seam.start(SeamTests.configuration(), random: RandomSource(seed: 1), milliseconds: 0)
        seam.connected(milliseconds: 10)
        #expect(seam.poll() > 0)
        let request = String(decoding: seam.output.dropFirst(5), as: UTF8.self)
        let copied = request.split(separator: "\r\n").filter { line in
            ["Via", "From", "To", "Call-ID", "CSeq", "Contact"].contains { line.hasPrefix($0 + ":") }
        }
        let response = ["SIP/2.0 200 OK"] + copied + ["Content-Length: 0", "", ""]
        seam.received(Array(response.joined(separator: "\r\n").utf8), milliseconds: 20)
        #expect(seam.poll() > 0 && seam.output == Event.registered(expires: 600).frame)
    }
}
