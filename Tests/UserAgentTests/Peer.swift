import Base
import SIP
import Testing
import UserAgent

/// Text as bytes, with CRLF line ends and, for messages, a right Content-Length.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// A session description of sound and, perhaps, pictures.
func sdp(_ name: String = "alice", version: Int = 1, streams: [String] = ["audio"]) -> [UInt8] {
    var out = "v=0\r\no=\(name) 7 \(version) IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    for stream in streams { out += "m=\(stream) 4000 RTP/AVP 0\r\n" }
    return bytes(out)
}

/// One phone under test and the hand that plays the other side: every message is written and read by the test.
struct Bench {
    var phone: UserAgent
    var now = Instant.zero
    private(set) var sent: [SIPMessage] = []
    private(set) var events: [Event] = []

    init(
        transport: SIPTransport = .wss, password: String? = nil, connected: Bool = true,
        configure: (inout Configuration) -> Void = { _ in }
    ) throws {
        var configuration = Configuration(
            aor: bytes("sip:anna@example.org"), transport: transport, sentBy: bytes("phone.invalid"))
        configuration.displayName = bytes("Anna")
        configuration.instanceID = bytes("urn:uuid:00000000-0000-1000-8000-000a95a0e128")
        configuration.password = password.map { bytes($0) }
        configure(&configuration)
        phone = try UserAgent(configuration: configuration, random: RandomSource(seed: 1), at: now)
        if connected { connect() }
    }

    // MARK: In

    mutating func connect() {
        phone.connected(at: now)
        drain()
    }

    mutating func disconnect() {
        phone.disconnected(at: now)
        drain()
    }

    mutating func receive(_ message: SIPMessage) {
        phone.receive(message.bytes, at: now)
        drain()
    }

    /// A message as text: the first line and headers one per line, Content-Length added.
    mutating func receive(_ head: String, body: [UInt8] = []) { receive(raw: message(head, body: body)) }

    mutating func receive(raw: [UInt8]) {
        phone.receive(raw, at: now)
        drain()
    }

    mutating func perform(_ command: Command) throws {
        try phone.perform(command, at: now)
        drain()
    }

    /// Lets time pass, with every timer at its own time.
    mutating func wait(_ duration: Duration) {
        let end = now + duration
        var turns = 0
        while let due = phone.nextTimeout, due <= end {
            now = max(now, due)
            phone.handleTimeout(at: now)
            drain()
            turns += 1
            precondition(turns < 10_000, "a timer that does not move")
        }
        now = end
    }

    private mutating func drain() {
        while let output = phone.pollOutput() {
            switch output {
            case .send(let bytes):
                do { sent.append(try SIPMessage(parsing: bytes)) } catch { Issue.record("sent nonsense: \(error)") }
            case .event(let event): events.append(event)
            }
        }
    }

    // MARK: Out

    /// The messages sent since the last look.
    mutating func takeSent() -> [SIPMessage] {
        defer { sent = [] }
        return sent
    }

    mutating func takeEvents() -> [Event] {
        defer { events = [] }
        return events
    }

    /// The only message sent since the last look, checked for its kind.
    mutating func takeRequest(_ method: SIPMethod, _ location: SourceLocation = #_sourceLocation) throws -> SIPMessage {
        let all = takeSent()
        #expect(all.count == 1, "\(all.map(\.summary))", sourceLocation: location)
        let request = try #require(all.first, sourceLocation: location)
        #expect(request.method == method, sourceLocation: location)
        return request
    }

    mutating func takeResponse(_ status: Int, _ location: SourceLocation = #_sourceLocation) throws -> SIPMessage {
        let all = takeSent()
        #expect(all.count == 1, "\(all.map(\.summary))", sourceLocation: location)
        let response = try #require(all.first, sourceLocation: location)
        #expect(response.status == status, sourceLocation: location)
        return response
    }

    /// Nothing but these events happened since the last look.
    mutating func expect(_ expected: Event..., at location: SourceLocation = #_sourceLocation) {
        #expect(takeEvents() == expected, sourceLocation: location)
    }

    mutating func expectSent(_ expected: String..., at location: SourceLocation = #_sourceLocation) {
        #expect(takeSent().map(\.summary) == expected, sourceLocation: location)
    }

    // MARK: The other side

    /// Answers a request of the phone's.
    mutating func respond(
        _ status: Int, to request: SIPMessage, tag: String = "remote", headers: [String] = [], body: [UInt8] = [],
        contact: Bool = true
    ) {
        var lines = ["SIP/2.0 \(status) \(text(ReasonPhrase.text(for: status)))"]
        for via in request.values(of: .via) { lines.append("Via: \(text(via))") }
        lines.append("From: \(text(request.value(of: .from) ?? []))")
        let to = text(request.value(of: .to) ?? [])
        lines.append(to.contains("tag=") || status == 100 ? "To: \(to)" : "To: \(to);tag=\(tag)")
        lines.append("Call-ID: \(text(request.callID))")
        lines.append("CSeq: \(text(request.value(of: .cseq) ?? []))")
        if contact, status > 100, status < 300 { lines.append("Contact: <sip:bob-\(tag)@192.0.2.2>") }
        if !body.isEmpty { lines.append("Content-Type: application/sdp") }
        receive((lines + headers).joined(separator: "\n"), body: body)
    }

    /// Registers the phone and forgets that it did.
    mutating func register(headers: [String] = []) throws {
        let request = try takeRequest(.register)
        respond(
            200, to: request, headers: ["Contact: \(text(request.value(of: .contact) ?? []))"] + headers, contact: false
        )
        _ = takeEvents()
        _ = takeSent()
    }
}

func message(_ head: String, body: [UInt8] = []) -> [UInt8] {
    let lines = head.split(separator: "\n").map { $0.trimmingPrefix(while: { $0 == " " }) }
    return bytes((lines + ["Content-Length: \(body.count)"]).joined(separator: "\r\n") + "\r\n\r\n") + body
}

extension SIPMessage {
    /// `INVITE 1` or `200 INVITE 1`.
    var summary: String {
        let cseq = (try? cseq()).map { "\(text($0.method.name)) \($0.number)" } ?? "?"
        return status.map { "\($0) \(cseq)" } ?? cseq
    }

    func header(_ name: HeaderName) -> String? { value(of: name).map { text($0) } }
}

/// Bob's requests in one dialog or before it, with his own numbers and branches.
struct Caller {
    var callID = "from-bob"
    var tag = "bobtag"
    /// The phone's tag, once it is known.
    var phoneTag: String?
    var cseq = 100
    var branch = 0
    var transport = "WSS"

    mutating func request(
        _ method: String, headers: [String] = [], body: [UInt8] = [], type: String = "application/sdp",
        cseq number: Int? = nil, branch name: String? = nil
    ) -> [UInt8] {
        if number == nil { cseq += 1 }
        branch += 1
        var lines = [
            "\(method) sip:anna@phone.invalid;transport=ws SIP/2.0",
            "Via: SIP/2.0/\(transport) proxy.example.org;branch=\(name ?? "z9hG4bKbob\(branch)")",
            "Max-Forwards: 70",
            "From: \"Bob\" <sip:bob@example.org>;tag=\(tag)",
            "To: <sip:anna@example.org>" + (phoneTag.map { ";tag=\($0)" } ?? ""),
            "Call-ID: \(callID)",
            "CSeq: \(number ?? cseq) \(method)",
        ]
        if ["INVITE", "UPDATE", "NOTIFY", "REFER"].contains(method) { lines.append("Contact: <sip:bob@192.0.2.2>") }
        if !body.isEmpty { lines.append("Content-Type: \(type)") }
        return message((lines + headers).joined(separator: "\n"), body: body)
    }
}
