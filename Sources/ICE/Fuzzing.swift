import Base
import STUN

/// What a script came to, so that tests know how far it got.
package struct FuzzedICE: Equatable, Sendable {
    package var selections = 0
    package var restarts = 0
    package var refusals = UInt64(0)
}

/// Drives an agent behind its demultiplexer with a script of inputs: for the fuzzer and the replay of its corpus.
///
/// The script is steps of one byte of kind, one of length, and that many bytes. Kinds 0 and 1 are packets as they stand;
/// 2 to 5 are requests with the right password, 6 and 7 answers to what the agent asked; then candidates, time,
/// credentials and restarts. After each step the bounds must hold, and nothing may be selected that never answered.
@discardableResult
package func fuzzICE(_ script: [UInt8]) -> FuzzedICE {
    var rig = FuzzRig()
    var rest = script[...]
    while let kind = rest.popFirst(), let length = rest.popFirst() {
        let data = Array(rest.prefix(Int(length)))
        rest = rest.dropFirst(data.count)
        rig.step(kind % 16, data)
    }
    return rig.result
}

private struct FuzzRig {
    private var agent: ICEAgent
    private var table = Demultiplexer(maximumAgents: 2)
    private var id = AgentID(slot: 0, tag: 0)
    private var random = RandomSource(seed: 1)
    private var now = Instant.zero
    private var theirs: ShortTermCredentials
    /// What the agent asked, newest last.
    private var asked: [(request: [UInt8], path: Path)] = []
    /// Where an answer with the right password came from the right place.
    private var answered: Set<Path> = []
    var result = FuzzedICE()

    init() {
        theirs = ShortTermCredentials(using: &random)
        if let place = table.add(using: &random) { id = place }
        let hosts = [
            TransportAddress(ip: .v4(0xc633_6401), port: 3_478),
            TransportAddress(ip: .v6(high: 0x2001_0db8 << 32, low: 1), port: 3_478),
        ]
        let external = (host: 0, address: TransportAddress(ip: .v4(0xc000_0209), port: 3_478))
        agent = ICEAgent(
            LocalAddresses(hosts: hosts, external: [external]), tag: id.tag, isControlling: false, random: random)
        announce()
    }

    private mutating func announce() {
        let known = [agent.localCredentials] + [agent.retiredCredentials].compactMap { $0 }
        precondition(table.setCredentials(known, of: id), "two agents with one user fragment")
    }

    /// One of a few paths, so that scripts meet themselves again.
    private func path(_ byte: UInt8) -> Path {
        byte & 0x80 == 0
            ? Path(local: 0, remote: TransportAddress(ip: .v4(0xcb00_7100 | UInt32(byte & 7)), port: 5_000))
            : Path(local: 1, remote: TransportAddress(ip: .v6(high: 1 << 61, low: UInt64(byte & 7)), port: 5_000))
    }

    mutating func step(_ kind: UInt8, _ data: [UInt8]) {
        let (first, second) = (data.first ?? 0, data.dropFirst().first ?? 0)
        switch kind {
        case 0, 1: give(Array(data.dropFirst()), along: path(first))
        case 2..<6: give(request(flags: second, isRetired: kind == 5, data), along: path(first))
        case 6, 7: answer(first, flags: second)
        case 8: add(data)
        case 9: agent.endRemoteCandidates(at: now)
        case 10: try? agent.setRemote(theirs, isLite: first & 1 == 1, at: now)
        case 11:
            agent.restart(isControlling: first & 2 == 0 ? nil : first & 1 == 1)
            theirs = ShortTermCredentials(using: &random)
            asked = []
            result.restarts += 1
            announce()
        case 12, 13: advance(to: now + .milliseconds(Int(first) * 40))
        default: advance(to: agent.nextTimeout ?? now)
        }
        drain()
        check()
    }

    // MARK: The peer

    private func request(flags: UInt8, isRetired: Bool, _ data: [UInt8]) -> [UInt8] {
        let ours = (isRetired ? agent.retiredCredentials : nil) ?? agent.localCredentials
        let name = ours.ufrag + [ASCII.colon] + theirs.ufrag
        return write(STUNType(.request, .binding), TransactionID(high: 7, low: UInt64(data.count & 3))) { writer in
            writer.add(.username, name)
            if flags & 1 == 0 { writer.add(.priority, UInt32(flags) << 24) }
            if flags & 2 == 0 { writer.add(flags & 4 == 0 ? .iceControlling : .iceControlled, UInt64(flags) << 56) }
            if flags & 8 == 0 { writer.add(.useCandidate) }
            if flags & 0x70 == 0x70 { writer.add(AttributeType(rawValue: UInt16(flags)), data) }
            writer.add(IntegrityKey(sha1: ours.password))
            writer.addFingerprint()
        }
    }

    private mutating func answer(_ which: UInt8, flags: UInt8) {
        guard !asked.isEmpty else { return }
        let (request, asked) = asked[asked.count - 1 - Int(which & 15) % asked.count]
        let identity = request.withUnsafeBytes { (try? STUNMessage(parsing: $0))?.transactionID }
        guard let identity else { preconditionFailure("the agent sent what cannot be read") }
        let errors = [400, 401, 403, 487, 500] as [UInt16]
        let error = flags & 0xf < 5 ? STUNErrorCode(rawValue: errors[Int(flags & 0xf)]) : nil
        let bytes = write(STUNType(error == nil ? .success : .error, .binding), identity) { writer in
            if let error { writer.add(error, hasPhrase: false) }
            if flags & 0x20 == 0 { writer.add(.xorMappedAddress, xor: path(flags).remote) }
            writer.add(IntegrityKey(sha1: theirs.password))
            writer.addFingerprint()
        }
        // Some from elsewhere, unless that is just where the question went.
        let way = flags & 0xc0 == 0xc0 ? path(flags) : asked
        if error == nil, way == asked { answered.insert(asked) }
        give(bytes, along: way)
    }

    private mutating func add(_ data: [UInt8]) {
        let place = path(data.first ?? 0).remote
        do throws(Refusal) {
            let candidate = try ICECandidate(
                foundation: Array(data.dropFirst(3)), component: UInt16(data.count & 1) ^ 1,
                transport: Array("udp".utf8),
                priority: UInt32(data.count) << 20, host: place.ip.text, port: place.port, kind: Array("srflx".utf8))
            agent.add(candidate, ufrag: data.count % 3 == 0 ? theirs.ufrag : nil, at: now)
        } catch {
            agent.note(error)
        }
    }

    private func write(
        _ type: STUNType, _ identity: TransactionID, _ body: (inout STUNWriter) -> Void
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = buffer.withUnsafeMutableBytes { target -> Int in
            var writer = STUNWriter(type, identity, into: target)
            body(&writer)
            return writer.finish() ?? 0
        }
        return Array(buffer[..<count])
    }

    // MARK: The driver

    private mutating func give(_ bytes: [UInt8], along path: Path) {
        guard case .agent(id, .stun) = bytes.withUnsafeBytes({ table.route($0, along: path) }) else { return }
        var reply = [UInt8](repeating: 0, count: ICEAgent.maximumMessage)
        let outcome = bytes.withUnsafeBytes { packet in
            reply.withUnsafeMutableBytes { agent.receive(packet, along: path, reply: $0, at: now) }
        }
        guard case .refused(let refusal, let count) = outcome else { return }
        if refusal == .unknownUser || refusal == .wrongPassword {
            precondition(count <= bytes.count, "a stranger got more than it sent")
        }
    }

    private mutating func advance(to end: Instant) {
        while let due = agent.nextTimeout, due <= end {
            now = max(now, due)
            agent.handleTimeout(at: now)
            drain()
            precondition(agent.nextTimeout.map { $0 > now } ?? true, "a timer that is due does not go away")
        }
        now = max(now, end)
    }

    private mutating func drain() {
        var buffer = [UInt8](repeating: 0, count: ICEAgent.maximumMessage)
        while let output = buffer.withUnsafeMutableBytes({ agent.pollOutput(into: $0) }) {
            switch output {
            case .send(let count, let path): asked.append((Array(buffer[..<count]), path))
            case .event(.heard(let path)): table.bind(path, to: id, isProven: false, at: now)
            case .event(.proven(let path)): table.bind(path, to: id, isProven: true, at: now)
            case .event(.selected(let path)):
                precondition(answered.contains(path), "selected what never answered")
                result.selections += 1
            case .event: break
            }
        }
        asked.removeFirst(max(0, asked.count - 16))
    }

    private mutating func check() {
        precondition(agent.session.checklist.pairs.count <= ICELimits.pairs)
        precondition(agent.session.remoteCandidates.count <= ICELimits.remoteCandidates)
        precondition(table.pathCount <= ICELimits.pathsPerAgent)
        precondition(agent.state != .connected || agent.selected != nil, "connected without a pair")
        precondition(Set(agent.session.checklist.pairs.map(\.path)).count == agent.session.checklist.pairs.count)
        result.refusals = agent.refusals.total
    }
}
