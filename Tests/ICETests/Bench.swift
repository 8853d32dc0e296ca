import Base
import STUN
import Testing

@testable import ICE

func address(_ text: String, _ port: UInt16) -> TransportAddress {
    TransportAddress(ip: IPAddress(parsing: text.utf8) ?? .loopback, port: port)
}

func path(_ text: String, _ port: UInt16) -> Path { Path(local: 0, remote: address(text, port)) }

func candidate(
    _ text: String, _ port: UInt16, _ kind: CandidateKind = .host, preference: UInt16 = 65_535,
    foundation: String = "1"
) -> ICECandidate {
    ICECandidate(
        kind, address(text, port), priority: ICECandidate.priority(kind, localPreference: preference),
        foundation: Array(foundation.utf8))
}

/// One message, read.
struct Seen {
    var type: STUNType
    var id: TransactionID
    var username: [UInt8]?
    var priority: UInt32?
    var isNominating = false
    var controlling: UInt64?
    var controlled: UInt64?
    var mapped: TransportAddress?
    var code: STUNErrorCode?
    var attributes: [AttributeType] = []
    var hasFingerprint = false
    /// Protected by the password that was given.
    var isProtected = false

    init?(_ bytes: [UInt8], password: [UInt8]? = nil) {
        let read = bytes.withUnsafeBytes { buffer -> Seen? in
            guard let message = try? STUNMessage(parsing: buffer) else { return nil }
            var seen = Seen(type: message.type, id: message.transactionID)
            seen.username = message.username.map(Array.init)
            (seen.priority, seen.isNominating) = (message.priority, message.isUsingCandidate)
            (seen.controlling, seen.controlled) = (message.iceControlling, message.iceControlled)
            (seen.mapped, seen.code) = (message.xorAddress(.xorMappedAddress), message.errorCode)
            seen.attributes = message.attributes.map(\.type)
            seen.hasFingerprint = message.isFingerprintRight
            seen.isProtected = password.map { IntegrityKey(sha1: $0).protects(message) } ?? message.hasIntegrity
            return seen
        }
        guard let read else { return nil }
        self = read
    }

    private init(type: STUNType, id: TransactionID) { (self.type, self.id) = (type, id) }
}

/// One agent on a table, with the test as its peer.
final class Bench {
    static let theirs: ShortTermCredentials = {
        var random = RandomSource(seed: 77)
        return ShortTermCredentials(using: &random)
    }()

    var agent: ICEAgent
    var now = Instant.zero
    var sent: [(bytes: [UInt8], path: Path, time: Instant)] = []
    var events: [ICEAgent.Event] = []
    private var nextID = UInt64(1)

    init(
        isControlling: Bool = false, hosts: [TransportAddress] = [address("198.51.100.1", 3478)],
        external: [(host: Int, address: TransportAddress)] = [], seed: UInt64 = 1
    ) {
        agent = ICEAgent(
            LocalAddresses(hosts: hosts, external: external), tag: 0xabcd_0123, isControlling: isControlling,
            random: RandomSource(seed: seed))
    }

    var ours: ShortTermCredentials { agent.localCredentials }
    var selected: Path? { agent.selected }

    /// Gives the agent the peer's credentials and candidates.
    @discardableResult
    func describe(_ candidates: [ICECandidate] = [], isLite: Bool = false, isComplete: Bool = false) throws -> Bench {
        for candidate in candidates { agent.add(candidate, at: now) }
        try agent.setRemote(Self.theirs, isLite: isLite, at: now)
        if isComplete { agent.endRemoteCandidates(at: now) }
        drain()
        return self
    }

    @discardableResult
    func add(_ candidate: ICECandidate, ufrag: [UInt8]? = nil) -> Refusal? {
        agent.add(candidate, ufrag: ufrag, at: now)
    }

    /// Runs timers until then.
    func advance(_ milliseconds: Int) {
        let end = now + .milliseconds(milliseconds)
        while let due = agent.nextTimeout, due <= end {
            now = max(now, due)
            agent.handleTimeout(at: now)
            drain()
            #expect(agent.nextTimeout.map { $0 > now } ?? true, "a timer that is due does not go away")
        }
        now = end
    }

    func drain() {
        var buffer = [UInt8](repeating: 0xcc, count: ICEAgent.maximumMessage)
        while let output = buffer.withUnsafeMutableBytes({ agent.pollOutput(into: $0) }) {
            switch output {
            case .send(let count, let path): sent.append((Array(buffer[..<count]), path, now))
            case .event(let event): events.append(event)
            }
        }
    }

    /// Gives one packet; what is answered.
    @discardableResult
    func give(_ bytes: [UInt8], along path: Path) -> (outcome: ICEAgent.Outcome, reply: [UInt8]) {
        var reply = [UInt8](repeating: 0xcc, count: ICEAgent.maximumMessage)
        let outcome = bytes.withUnsafeBytes { packet in
            reply.withUnsafeMutableBytes { agent.receive(packet, along: path, reply: $0, at: now) }
        }
        drain()
        switch outcome {
        case .reply(let count), .refused(_, let count): return (outcome, Array(reply[..<count]))
        case .consumed: return (outcome, [])
        }
    }

    // MARK: The peer

    /// A request of the peer's.
    func request(
        nominating: Bool = false, controlling: UInt64? = 5, controlled: UInt64? = nil, priority: UInt32? = 0x6e00_01ff,
        username: [UInt8]? = nil, password: [UInt8]? = nil, hasFingerprint: Bool = true, hasUsername: Bool = true,
        hasIntegrity: Bool = true, id: TransactionID? = nil, unknown: AttributeType? = nil
    ) -> [UInt8] {
        nextID += 1
        return write(STUNType(.request, .binding), id ?? TransactionID(high: 9, low: nextID)) { writer in
            let name = username ?? ours.ufrag + [ASCII.colon] + Self.theirs.ufrag
            if hasUsername { writer.add(.username, name) }
            if let priority { writer.add(.priority, priority) }
            if let controlling, agent.isControlling == false { writer.add(.iceControlling, controlling) }
            if let controlled { writer.add(.iceControlled, controlled) }
            if nominating { writer.add(.useCandidate) }
            if let unknown { writer.add(unknown, UInt32(0)) }
            if hasIntegrity { writer.add(IntegrityKey(sha1: password ?? ours.password)) }
            if hasFingerprint { writer.addFingerprint() }
        }
    }

    /// The peer's answer to a request of the agent's.
    func answer(
        _ request: [UInt8], mapped: TransportAddress = address("198.51.100.1", 3478), error: STUNErrorCode? = nil,
        password: [UInt8]? = nil
    ) -> [UInt8] {
        guard let seen = Seen(request) else { return [] }
        return write(STUNType(error == nil ? .success : .error, .binding), seen.id) { writer in
            if let error { writer.add(error, hasPhrase: true) } else { writer.add(.xorMappedAddress, xor: mapped) }
            writer.add(IntegrityKey(sha1: password ?? Self.theirs.password))
            writer.addFingerprint()
        }
    }

    func write(_ type: STUNType, _ id: TransactionID, _ body: (inout STUNWriter) -> Void) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xee, count: 1_024)
        let count = buffer.withUnsafeMutableBytes { target in
            var writer = STUNWriter(type, id, into: target)
            body(&writer)
            return writer.finish() ?? 0
        }
        return Array(buffer[..<count])
    }

    /// Answers the newest request on a path as it should be.
    @discardableResult
    func succeed(on path: Path, mapped: TransportAddress = address("198.51.100.1", 3478)) -> ICEAgent.Outcome? {
        guard let request = sent.last(where: { $0.path == path })?.bytes else { return nil }
        return give(answer(request, mapped: mapped), along: path).outcome
    }

    /// An agent that is connected on this path, the peer controlling.
    static func connected(on path: Path) throws -> Bench {
        let bench = try Bench().describe()
        bench.give(bench.request(nominating: true), along: path)
        bench.advance(0)
        bench.succeed(on: path)
        #expect(bench.selected == path)
        return bench
    }
}
