import Base
import NetSimulation
import SIP
import Testing

/// A client and a server transaction, and nothing but a bad network between them.
@Suite struct TransactionScenarios {
    private static let link = Link(
        loss: 0.3, delay: .milliseconds(40), jitter: .milliseconds(200), reordering: 0.2,
        reorderingDelay: .milliseconds(700), duplication: 0.3)
    private static let here = TransportAddress(ip: .v4(0x0a00_0001), port: 5060)
    private static let there = TransportAddress(ip: .v4(0x0a00_0002), port: 5060)

    private func request(_ method: String) throws -> SIPMessage {
        let lines = [
            "\(method) sip:bob@10.0.0.2 SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKpair",
            "Max-Forwards: 70",
            "From: <sip:anna@10.0.0.1>;tag=a", "To: <sip:bob@10.0.0.2>", "Call-ID: pair", "CSeq: 1 \(method)",
            "Content-Length: 0", "", "",
        ]
        return try SIPMessage(parsing: Array(lines.joined(separator: "\r\n").utf8))
    }

    private func response(_ status: Int, to request: SIPMessage) -> SIPMessage {
        MessageBuilder.response(status, to: request, tag: [UInt8](ascii: "b")).finish()
    }

    /// Two hosts and the time; the machines are the test's.
    private struct Wire {
        var network: SimulatedNetwork
        let client, server: SimulatedNetwork.HostID
        var now = Instant.zero

        init(seed: UInt64) {
            network = SimulatedNetwork(seed: seed)
            client = network.addHost(TransactionScenarios.here.ip, link: TransactionScenarios.link)
            server = network.addHost(TransactionScenarios.there.ip, link: Link(delay: .zero))
        }

        mutating func toServer(_ payload: [UInt8]) {
            network.send(payload, from: client, port: 5060, to: TransactionScenarios.there, at: now)
        }

        mutating func toClient(_ payload: [UInt8]) {
            network.send(payload, from: server, port: 5060, to: TransactionScenarios.here, at: now)
        }

        /// Moves time to what happens next.
        ///
        /// - Returns: false when nothing ever will.
        mutating func advance(_ deadlines: [Instant?]) -> Bool {
            guard let next = (deadlines + [network.nextTimeout]).compactMap({ $0 }).min() else { return false }
            now = max(now, next)
            return true
        }
    }

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func `a request is asked once and has one answer`(seed: UInt64) throws {
        let request = try request("OPTIONS")
        var wire = Wire(seed: seed)
        var client = NonInviteClientTransaction(request: request, reliable: false, at: .zero)
        var server: NonInviteServerTransaction?
        var (asked, answers, timeouts) = (0, 0, 0)
        wire.toServer(request.bytes)
        while wire.advance([client.nextTimeout, server?.nextTimeout]) {
            while let arrival = wire.network.poll(at: wire.now) {
                guard case .datagram(let host, _, _, let payload) = arrival else { continue }
                let message = try SIPMessage(parsing: payload)
                if host == wire.client {
                    #expect(TransactionKey(response: message) == TransactionKey(sent: request))
                    if client.receive(message, at: wire.now) == .deliver { answers += 1 }
                } else if server == nil {
                    asked += 1
                    server = NonInviteServerTransaction(reliable: false)
                    if case .send(let bytes)? = server?.respond(response(200, to: message), at: wire.now) {
                        wire.toClient(bytes)
                    }
                } else if case .send(let bytes)? = server?.receiveRetransmission() {
                    wire.toClient(bytes)
                }
            }
            switch client.handleTimeout(at: wire.now) {
            case .send(let bytes): wire.toServer(bytes)
            case .timedOut: timeouts += 1
            default: break
            }
            _ = server?.handleTimeout(at: wire.now)
            #expect(wire.now < .zero + .seconds(70))
        }
        #expect(asked == 1)
        #expect(answers + timeouts == 1)
        #expect(answers == 1, "eleven copies, half of which get an answer")
        #expect(client.isTerminated && server?.isTerminated == true)
    }

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func `a refused INVITE rings once, is refused once and acknowledged`(seed: UInt64) throws {
        let request = try request("INVITE")
        var wire = Wire(seed: seed)
        var client = InviteClientTransaction(request: request, reliable: false, at: .zero)
        var server: InviteServerTransaction?
        var refuseAt: Instant?
        var (rung, refusals, unacknowledged) = (0, 0, 0)
        wire.toServer(request.bytes)
        while wire.advance([client.nextTimeout, server?.nextTimeout, refuseAt]) {
            while let arrival = wire.network.poll(at: wire.now) {
                guard case .datagram(let host, _, _, let payload) = arrival else { continue }
                let message = try SIPMessage(parsing: payload)
                if host == wire.client {
                    switch client.receive(message, at: wire.now) {
                    case .deliverAndAcknowledge(let ack):
                        refusals += 1
                        wire.toServer(ack)
                    case .send(let ack): wire.toServer(ack)
                    default: break
                    }
                } else if message.method == .ack {
                    #expect(TransactionKey(request: message) == TransactionKey(request: request))
                    #expect(server?.receiveAcknowledgement(at: wire.now) != .deliver)
                } else if server == nil {
                    rung += 1
                    server = InviteServerTransaction(reliable: false)
                    refuseAt = wire.now + .seconds(5)
                    if case .send(let bytes)? = server?.respond(response(180, to: message), at: wire.now) {
                        wire.toClient(bytes)
                    }
                } else if case .send(let bytes)? = server?.receiveRetransmission() {
                    wire.toClient(bytes)
                }
            }
            if let due = refuseAt, due <= wire.now {
                refuseAt = nil
                if case .send(let bytes)? = server?.respond(response(603, to: request), at: wire.now) {
                    wire.toClient(bytes)
                }
            }
            if case .send(let bytes) = client.handleTimeout(at: wire.now) { wire.toServer(bytes) }
            switch server?.handleTimeout(at: wire.now) {
            case .send(let bytes)?: wire.toClient(bytes)
            case .timedOut?: unacknowledged += 1
            default: break
            }
            #expect(wire.now < .zero + .seconds(100))
        }
        #expect(rung == 1)
        #expect(refusals == 1)
        #expect(unacknowledged == 0)
        #expect(client.isTerminated && server?.isTerminated == true)
    }
}
