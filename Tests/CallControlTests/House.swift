import Base
import SIP

@testable import CallControl

/// A controller with people in it, and what it gives out, as tests want to see it.
final class House {
    struct Sent {
        var message: SIPMessage
        var flow: Flow

        var status: Int { message.status ?? 0 }
        var method: SIPMethod? { message.method }
        func text(_ name: HeaderName) -> String { String(decoding: message.value(of: name) ?? [], as: UTF8.self) }
        func texts(_ name: HeaderName) -> [String] {
            message.values(of: name).map { String(decoding: $0, as: UTF8.self) }
        }
        var reason: String { String(decoding: message.reason, as: UTF8.self) }
        var uri: String { String(decoding: message.requestURIText, as: UTF8.self) }
        var all: String { String(decoding: message.bytes, as: UTF8.self) }
    }

    static let secret = [UInt8](repeating: 0x5a, count: 32)
    static let password = [UInt8](ascii: "correct horse")
    static let server = TransportAddress(ip: .v4(0xc0a8_0105), port: 5060)

    var controller: CallController
    var now = Instant(nanoseconds: 1_000_000_000_000)
    var stores: [(change: BindingChange, ticket: UInt64?)] = []
    var questions: [(number: UInt64, question: ResolutionQuestion)] = []
    var connections: [(number: UInt64, target: ConnectionTarget)] = []
    var closed: [(flow: Flow, reason: CloseReason)] = []
    var events: [ControlEvent] = []
    /// Tickets are answered at once.
    var diskIsFast = true
    private var nextStream: UInt64 = 100
    private var nextNumber = 0

    static func configuration() -> CallController.Configuration {
        var configuration = CallController.Configuration(domain: [UInt8](ascii: "family.test"), secret: secret)
        configuration.aliases = [[UInt8](ascii: "192.168.1.5"), [UInt8](ascii: "hearth.local")]
        for (transport, port) in [(SIPTransport.udp, 5060), (.tcp, 5060), (.tls, 5061), (.wss, 8443)]
            as [(SIPTransport, UInt16)]
        {
            configuration.listeners.append(
                .init(
                    transport: transport, id: transport == .udp ? 1 : 0, host: [UInt8](ascii: "192.168.1.5"),
                    port: port,
                    local: TransportAddress(ip: server.ip, port: port)))
        }
        return configuration
    }

    static func account(_ user: String, phones: [String] = ["desk"]) -> SIPAccount {
        SIPAccount(
            user: Array(user.utf8),
            phones: phones.map { label in
                let secret =
                    Array(user.utf8) + [UInt8](ascii: ":family.test:") + password
                    + (label == "desk" ? [] : Array(label.utf8))
                return PhoneCredential(
                    label: Array(label.utf8), md5: MessageDigest.MD5.hash(secret),
                    sha256: MessageDigest.SHA256.hash(secret))
            })
    }

    init(
        people: [String] = ["anna", "bob", "carl"], bindings: [Binding] = [], seed: UInt64 = 1,
        configure: (inout CallController.Configuration) -> Void = { _ in }
    ) {
        var configuration = Self.configuration()
        configure(&configuration)
        controller = CallController(configuration: configuration, random: RandomSource(seed: seed), at: now)
        controller.load(accounts: people.map { Self.account($0) }, bindings: bindings, at: now)
    }

    // MARK: Flows

    /// A browser's connection, signed in.
    func page(_ user: String?) -> Flow {
        nextStream += 1
        let flow = Flow(
            transport: .wss, id: nextStream,
            remote: TransportAddress(ip: .v4(0xc0a8_0164), port: UInt16(truncatingIfNeeded: 40_000 + nextStream)),
            local: TransportAddress(ip: Self.server.ip, port: 8443))
        controller.flowOpened(flow, user: user.map { Array($0.utf8) }, at: now)
        return flow
    }

    func stream(_ transport: SIPTransport, remote: TransportAddress) -> Flow {
        nextStream += 1
        let flow = Flow(
            transport: transport, id: nextStream, remote: remote,
            local: TransportAddress(ip: Self.server.ip, port: transport == .tls ? 5061 : 5060))
        controller.flowOpened(flow, user: nil, at: now)
        return flow
    }

    /// A phone's address, `192.168.1.<host>:<port>`.
    static func phone(_ host: UInt32, port: UInt16 = 5060) -> Flow {
        Flow(
            transport: .udp, id: 1, remote: TransportAddress(ip: .v4(0xc0a8_0100 | host), port: port), local: server)
    }

    // MARK: In and out

    func receive(_ text: String, on flow: Flow) -> [Sent] { receive(bytes: Self.wire(text), on: flow) }

    func receive(bytes: [UInt8], on flow: Flow) -> [Sent] {
        controller.receive(bytes, on: flow, at: now)
        return drain()
    }

    func advance(_ duration: Duration) -> [Sent] {
        let end = now + duration
        var sent: [Sent] = []
        while let due = controller.nextTimeout, due <= end {
            now = max(now, due)
            controller.handleTimeout(at: now)
            sent += drain()
        }
        now = end
        return sent
    }

    func close(_ flow: Flow) -> [Sent] {
        controller.flowClosed(flow, at: now)
        return drain()
    }

    func drain() -> [Sent] {
        var sent: [Sent] = []
        while let output = controller.pollOutput() {
            switch output {
            case .send(let bytes, let flow):
                do throws(SIPParseError) {
                    let message = try SIPMessage(parsing: bytes)
                    precondition(message.bytes == bytes, "something follows the message")
                    sent.append(Sent(message: message, flow: flow))
                } catch {
                    preconditionFailure("sent what cannot be read: \(error)\n\(String(decoding: bytes, as: UTF8.self))")
                }
            case .store(let change, let ticket):
                stores.append((change, ticket))
                if let ticket, diskIsFast { controller.stored(ticket, succeeded: true, at: now) }
            case .resolve(let number, let question):
                questions.append((number, question))
            case .connect(let number, let target):
                connections.append((number, target))
            case .close(let flow, let reason):
                closed.append((flow, reason))
            case .event(let event):
                events.append(event)
            }
        }
        return sent
    }

    /// Lines as a test writes them, as they are on the wire: CRLF, an empty line at the end, Content-Length.
    static func wire(_ text: String) -> [UInt8] {
        var parts = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1 { parts.append("") }
        let body = parts[1].replacing("\n", with: "\r\n")
        let head = parts[0].split(separator: "\n").joined(separator: "\r\n")
        return Array("\(head)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    // MARK: Messages

    static func via(_ flow: Flow, _ branch: String) -> String {
        let transport = String(decoding: flow.transport.viaToken, as: UTF8.self)
        let host =
            flow.transport == .udp || flow.transport == .tcp
            ? String(decoding: flow.remote.text, as: UTF8.self) : "x\(flow.id).invalid"
        return "SIP/2.0/\(transport) \(host);branch=\(branch);rport"
    }

    /// A request from `user` over `flow`.
    static func request(
        _ method: String, _ uri: String, from user: String, on flow: Flow, callID: String = "call-1", cseq: Int = 1,
        branch: String? = nil, fromTag: String = "from-1", toTag: String? = nil, to: String? = nil,
        headers: [String] = [], body: String = ""
    ) -> String {
        var lines = [
            "\(method) \(uri) SIP/2.0",
            "Via: \(via(flow, branch ?? "z9hG4bK-\(user)-\(callID)-\(cseq)-\(method)"))",
            "From: <sip:\(user)@family.test>;tag=\(fromTag)",
            "To: <\(to ?? uri)>\(toTag.map { ";tag=\($0)" } ?? "")",
            "Call-ID: \(callID)",
            "CSeq: \(cseq) \(method)",
            "Max-Forwards: 70",
        ]
        lines += headers
        if !body.isEmpty { lines.append("Content-Type: application/sdp") }
        return lines.joined(separator: "\n") + (body.isEmpty ? "" : "\n\n" + body)
    }

    static func contact(_ user: String, _ flow: Flow) -> String {
        flow.transport == .wss
            ? "sip:\(user)@x\(flow.id).invalid;transport=ws"
            : "sip:\(user)@\(String(decoding: flow.remote.text, as: UTF8.self))"
    }

    static func register(
        _ user: String, on flow: Flow, contact: String? = nil, parameters: String = "", callID: String? = nil,
        cseq: Int = 1, headers: [String] = []
    ) -> String {
        request(
            "REGISTER", "sip:family.test", from: user, on: flow,
            callID: callID ?? "reg-\(user)-\(flow.id)-\(flow.remote.port)",
            cseq: cseq, to: "sip:\(user)@family.test",
            headers: ["Contact: \(contact ?? "<\(House.contact(user, flow))>")\(parameters)"] + headers)
    }

    /// Opens a page for a person and registers it.
    func registeredPage(_ user: String, parameters: String = "", headers: [String] = []) -> Flow {
        let flow = page(user)
        let answer = receive(Self.register(user, on: flow, parameters: parameters, headers: headers), on: flow)
        precondition(answer.first?.status == 200, answer.first?.all ?? "nothing sent")
        return flow
    }

    /// Registers a phone over UDP with digest.
    func registeredPhone(_ user: String, host: UInt32, parameters: String = "") -> Flow {
        let flow = Self.phone(host)
        let answer = authenticated(Self.register(user, on: flow, parameters: parameters), user: user, on: flow)
        precondition(answer.first?.status == 200, answer.first?.all ?? "nothing sent")
        return flow
    }

    /// Sends a request, answers the challenge, and gives what follows.
    func authenticated(
        _ text: String, user: String, on flow: Flow, password: [UInt8] = House.password,
        algorithm: DigestAlgorithm = .md5
    ) -> [Sent] {
        let challenge = receive(text, on: flow)
        guard let first = challenge.first, first.status == 401 || first.status == 407 else { return challenge }
        return receive(
            Self.answer(first, to: text, user: user, password: password, algorithm: algorithm), on: flow)
    }

    /// The request again, with the credentials a challenge asks for.
    static func answer(
        _ challenge: Sent, to text: String, user: String, password: [UInt8] = House.password,
        algorithm: DigestAlgorithm = .md5
    ) -> String {
        let isProxy = challenge.status == 407
        do throws(SIPParseError) {
            let challenges = try challenge.message.challenges(isProxy ? .proxyAuthenticate : .wwwAuthenticate)
            guard let chosen = challenges.first(where: { $0.algorithm == algorithm }) else { return text }
            let request = try SIPMessage(parsing: wire(text))
            var credentials = DigestCredentials(
                userName: Array(user.utf8), realm: chosen.realm, nonce: chosen.nonce,
                uri: Array(request.requestURIText),
                algorithm: algorithm)
            (credentials.quality, credentials.nonceCount, credentials.cnonce) = (.auth, 1, [UInt8](ascii: "c0ffee"))
            let ha1 = algorithm.ha1(user: Array(user.utf8), realm: chosen.realm, password: password)
            credentials.response = credentials.expectedResponse(
                ha1: ha1, algorithm: algorithm, method: request.method ?? .register, body: request.body)
            let value = String(decoding: credentials.text, as: UTF8.self)
            let name = isProxy ? "Proxy-Authorization" : "Authorization"
            var parts = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            parts[0] = parts[0].replacing("branch=z9hG4bK", with: "branch=z9hG4bKa") + "\n\(name): \(value)"
            return parts.joined(separator: "\n\n")
        } catch { preconditionFailure("\(error)") }
    }

    /// A response to a request the controller sent, as the device that got it would write it.
    static func response(
        _ status: Int, _ reason: String = "Because", to sent: Sent, tag: String = "to-1", headers: [String] = [],
        body: String = ""
    ) -> String {
        var lines = ["SIP/2.0 \(status) \(reason)"]
        lines += sent.texts(.via).map { "Via: \($0)" }
        lines += sent.texts(.recordRoute).map { "Record-Route: \($0)" }
        let to = sent.text(.to)
        lines += [
            "From: \(sent.text(.from))", "To: \(to)\(to.contains("tag=") || status == 100 ? "" : ";tag=\(tag)")",
            "Call-ID: \(sent.text(.callID))", "CSeq: \(sent.text(.cseq))",
        ]
        lines += headers
        if !body.isEmpty { lines.append("Content-Type: application/sdp") }
        return lines.joined(separator: "\n") + (body.isEmpty ? "" : "\n\n" + body)
    }

    static let webOffer = """
        v=0
        o=- 1 1 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=fingerprint:sha-256 AA:BB
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=ice-ufrag:abcd
        a=ice-pwd:0123456789012345678901

        """
    static let plainOffer = """
        v=0
        o=- 1 1 IN IP4 192.168.1.20
        s=-
        c=IN IP4 192.168.1.20
        t=0 0
        m=audio 4000 RTP/AVP 0

        """
}
