import Base
import Foundation
import NetSimulation
import SIP
import UserAgent

/// A device of the household: a `UserAgent`, its way to the server, and a person's reactions.
final class Phone {
    enum Access { case udp, page }

    enum Phase: Equatable {
        case calling, ringing, established
        case ended(EndCause, status: Int)
    }

    static let port = UInt16(5060)
    static func password(of user: String) -> [UInt8] { Array("secret of \(user)".utf8) }

    let user: String
    let name: String
    let access: Access
    let host: SimulatedNetwork.HostID
    var agent: UserAgent
    private unowned let world: World

    /// A page's connection; nil while there is none.
    private(set) var stream: SimulatedNetwork.StreamID?
    /// Whether a page opens a new connection when it lost the last.
    var reconnects = true
    private(set) var isRegistered = false
    private(set) var calls: [CallID: Phase] = [:]
    private(set) var events: [Event] = []
    /// The device at the other end of a call, as its session descriptions name it.
    private(set) var peers: [CallID: String] = [:]
    private(set) var sentMessages: Set<UInt32> = []
    private(set) var receivedMessages: [String: Int] = [:]
    private var openOffers: Set<CallID> = []
    private var nextCall = UInt32(1)
    private var nextMessage = UInt32(0)
    private var sdpVersion = 0

    /// What the person does when it rings.
    var onIncoming: (Phone, CallID) -> Void = { phone, call in phone.answer(call, after: .seconds(2)) }

    init(user: String, number: Int, access: Access, host: SimulatedNetwork.HostID, world: World) {
        (self.user, self.access, self.host, self.world) = (user, access, host, world)
        name = "\(user)\(number)"
        let address = String(decoding: world.network.address(of: host).text, as: UTF8.self)
        var configuration = Configuration(
            aor: Array("sip:\(user)@\(World.domain)".utf8), transport: access == .udp ? .udp : .wss,
            sentBy: Array((access == .udp ? "\(address):\(Self.port)" : "\(name).invalid").utf8))
        configuration.instanceID = Array("urn:uuid:00000000-0000-4000-8000-00000000000\(number)".utf8)
        if access == .udp { configuration.password = Self.password(of: user) }
        do {
            agent = try UserAgent(
                configuration: configuration, random: RandomSource(seed: world.random.next()), at: world.now)
        } catch { fatalError("the test's own configuration: \(error)") }
    }

    // MARK: - Connection

    /// Switches the device on: it connects and registers.
    func start() {
        switch access {
        case .udp:
            agent.connected(at: world.now)
            drain()
        case .page:
            stream = world.open(from: self)
        }
    }

    func connected(_ opened: SimulatedNetwork.StreamID) {
        guard opened == stream else { return }
        world.note("\(name) is connected")
        agent.connected(at: world.now)
        drain()
    }

    /// As the page does it: again after a moment, and not all at once.
    func closed(_ lost: SimulatedNetwork.StreamID) {
        guard lost == stream else { return }
        world.note("\(name) is disconnected")
        stream = nil
        isRegistered = false
        agent.disconnected(at: world.now)
        drain()
        guard reconnects else { return }
        world.after(.milliseconds(300) + world.someTime(upTo: .seconds(2))) { [unowned self] in
            guard stream == nil, reconnects else { return }
            stream = world.open(from: self)
        }
    }

    func receive(_ payload: [UInt8]) {
        agent.receive(payload, at: world.now)
        drain()
    }

    func drain() {
        while let output = agent.pollOutput() {
            switch output {
            case .send(let payload): world.send(payload, from: self)
            case .event(let event): handle(event)
            }
        }
    }

    // MARK: - What the person does

    /// A command that may come too late: the call may have ended while the person's hand moved.
    @discardableResult
    func perform(_ command: Command) -> Bool {
        world.note("\(name): \(Self.brief(command))")
        do throws(CommandError) { try agent.perform(command, at: world.now) } catch {
            world.note("\(name): refused, \(error)")
            return false
        }
        drain()
        return true
    }

    /// Calls somebody.
    @discardableResult
    func call(_ user: String) -> CallID {
        let call = CallID(nextCall)
        nextCall += 1
        let target = Array("sip:\(user)@\(World.domain)".utf8)
        world.note("\(name): calls \(user)")
        calls[call] = .calling
        do throws(CommandError) {
            try agent.perform(.call(call, to: target, offer: description(), replaces: nil), at: world.now)
        } catch {
            world.note("\(name): refused, \(error)")
            calls[call] = nil
        }
        drain()
        trickle(in: call)
        return call
    }

    /// A page finds its candidates one after the other, some before and some after the call is answered.
    private func trickle(in call: CallID) {
        guard access == .page else { return }
        var lines = [
            "a=ice-ufrag:4ZcD", "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlxx", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0",
        ]
        for number in 1...3 {
            lines.append("a=candidate:\(number) 1 udp 2130706431 192.0.2.\(number) 40000 typ host")
            let fragment = Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
            let delay = Duration.seconds(number - 1) + world.someTime(upTo: .seconds(1))
            world.after(delay) { [unowned self] in
                if unended.contains(call) { perform(.candidates(call, fragment: fragment)) }
            }
        }
    }

    /// The most candidates a peer was seen with in one call.
    var candidatesHeard: Int {
        events.reduce(0) { most, event in
            guard case .candidates(_, let fragment) = event else { return most }
            return max(
                most, String(decoding: fragment, as: UTF8.self).components(separatedBy: "a=candidate:").count - 1)
        }
    }

    /// Does what the peer of a transfer asks for, or not.
    private func transfer(_ call: CallID) {
        guard Bool.random(using: &world.random) else {
            perform(.rejectTransfer(call, status: 603))
            return
        }
        let new = CallID(nextCall)
        nextCall += 1
        calls[new] = .calling
        guard !perform(.acceptTransfer(call, new: new, offer: description())) else { return }
        calls[new] = nil
        perform(.rejectTransfer(call, status: 603))
    }

    func answer(_ call: CallID, after delay: Duration = .zero) {
        world.after(delay) { [unowned self] in
            guard calls[call] == .ringing else { return }
            perform(.answer(call, sdp: description()))
            trickle(in: call)
        }
    }

    func reject(_ call: CallID, status: Int, after delay: Duration = .zero) {
        world.after(delay) { [unowned self] in
            guard calls[call] == .ringing else { return }
            perform(.reject(call, status: status))
        }
    }

    func hangUp(_ call: CallID, after delay: Duration = .zero) {
        world.after(delay) { [unowned self] in
            if case .ended = calls[call] { return }
            perform(.hangUp(call))
        }
    }

    /// Hangs up whatever the device has.
    func hangUpAll(after delay: Duration = .zero) {
        world.after(delay) { [unowned self] in
            for call in unended { perform(.hangUp(call)) }
        }
    }

    /// A new offer in a call.
    func offer(_ call: CallID, after delay: Duration = .zero) {
        world.after(delay) { [unowned self] in
            guard calls[call] == .established else { return }
            world.note("\(name): offers in \(call)")
            do throws(CommandError) {
                try agent.perform(.offer(call, sdp: description()), at: world.now)
                openOffers.insert(call)
            } catch { world.note("\(name): refused, \(error)") }
            drain()
        }
    }

    /// Writes to somebody, a text that nobody else writes.
    func write(to user: String) {
        nextMessage += 1
        let text = Array("\(name) writes \(nextMessage)".utf8)
        let target = Array("sip:\(user)@\(World.domain)".utf8)
        sentMessages.insert(nextMessage)
        if !perform(.message(id: nextMessage, to: target, contentType: Array("text/plain".utf8), body: text)) {
            sentMessages.remove(nextMessage)
        }
    }

    // MARK: - What the device tells

    var established: [CallID] { sorted { $0 == .established } }
    var ringing: [CallID] { sorted { $0 == .ringing } }
    /// Calls that are neither in conversation nor over.
    var pending: [CallID] { sorted { $0 == .calling || $0 == .ringing } }
    var unended: [CallID] { sorted { if case .ended = $0 { false } else { true } } }

    private func sorted(_ condition: (Phase) -> Bool) -> [CallID] {
        calls.filter { condition($0.value) }.keys.sorted { $0.number < $1.number }
    }

    /// How a call ended; nil while it has not.
    func ending(of call: CallID) -> EndCause? {
        if case .ended(let cause, _) = calls[call] { cause } else { nil }
    }

    var endings: [EndCause] { calls.keys.sorted { $0.number < $1.number }.compactMap { ending(of: $0) } }

    /// Peers that said 481 to something: they had forgotten the call.
    var forgetful: [String] { calls.compactMap { if case .ended(_, status: 481) = $1 { peers[$0] } else { nil } } }

    /// Whether the person here ended a call with that device.
    func hungUp(on peer: String) -> Bool { calls.keys.contains { peers[$0] == peer && ending(of: $0) == .hungUp } }

    private func handle(_ event: Event) {
        world.note("\(name) tells: \(Self.brief(event))")
        events.append(event)
        switch event {
        case .registered: isRegistered = true
        case .registrationFailed, .unregistered: isRegistered = false
        case .incoming(let call, _, _, let sdp, _):
            world.check(calls[call] == nil, "\(name): \(call) came in twice")
            calls[call] = .ringing
            peers[call] = Self.author(of: sdp)
            onIncoming(self, call)
        case .answered(let call, let sdp):
            if !sdp.isEmpty { peers[call] = Self.author(of: sdp) }
            let phase = calls[call]
            world.check(phase == .calling || phase == .ringing, "\(name): \(call) was answered as \(phase as Any)")
            calls[call] = .established
        case .ended(let call, let cause, let status, _):
            if case .ended = calls[call] { world.check(false, "\(name): \(call) ended twice") }
            world.check(calls[call] != nil, "\(name): unknown \(call) ended")
            calls[call] = .ended(cause, status: status)
            openOffers.remove(call)
        case .offered(let call, _):
            world.after(world.someTime(upTo: .milliseconds(400))) { [unowned self] in
                guard calls[call] == .established else { return }
                perform(.answerOffer(call, sdp: description()))
            }
        case .transferRequested(let call, _): transfer(call)
        case .offerAnswered(let call, _), .offerFailed(let call, _, _):
            world.check(openOffers.remove(call) != nil, "\(name): nobody offered in \(call)")
        case .message(_, _, let body, _, _):
            receivedMessages[String(decoding: body, as: UTF8.self), default: 0] += 1
        case .messageResult(let id, _, _):
            world.check(sentMessages.remove(id) != nil, "\(name): message \(id) has two results")
        default: break
        }
    }

    // MARK: - Tables

    var isIdle: Bool { agent.transactionCount == 0 && agent.callCount == unended.count }

    func checkIdle(calls count: Int) {
        world.check(agent.callCount == count, "\(name) keeps \(agent.callCount) calls, not \(count)")
        world.check(agent.transactionCount == 0, "\(name) keeps \(agent.transactionCount) transactions")
        world.check(openOffers.isEmpty, "\(name): nobody answered the offers in \(openOffers)")
        world.check(sentMessages.isEmpty, "\(name): messages \(sentMessages) have no result")
        world.check(receivedMessages.values.allSatisfy { $0 == 1 }, "\(name) got a message twice")
    }

    // MARK: - Session descriptions

    /// One audio stream as the device's kind describes it; each next one has a higher version (RFC 3264 §8).
    private func description() -> [UInt8] {
        sdpVersion += 1
        var lines = ["v=0", "o=\(name) 4711 \(sdpVersion) IN IP4 192.0.2.1", "s=-", "t=0 0"]
        switch access {
        case .udp: lines += ["m=audio 40000 RTP/AVP 0", "c=IN IP4 192.0.2.1", "a=rtpmap:0 PCMU/8000"]
        case .page:
            lines += [
                "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=rtcp-mux",
                "a=ice-ufrag:4ZcD", "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlxx", "a=ice-options:trickle", "a=setup:actpass",
                "a=fingerprint:sha-256 " + Array(repeating: "AB", count: 32).joined(separator: ":"),
                "a=rtpmap:111 opus/48000/2",
            ]
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    /// The device that wrote a description: the user name of its o= line.
    private static func author(of sdp: [UInt8]) -> String? {
        let line = String(decoding: sdp, as: UTF8.self).split(separator: "\r\n").first { $0.hasPrefix("o=") }
        return line?.dropFirst(2).split(separator: " ").first.map(String.init)
    }

    // MARK: - Trace

    private static func brief(_ value: some Any) -> String {
        let text = String(describing: value)
        return text.count > 90 ? text.prefix(90) + "…" : text
    }
}
