import Base
import STUN
import Testing

@testable import ICE

/// RFC 7983, RFC 8445 §7.3: whose a packet on the one port is.
struct DemultiplexerTests {
    private let remote = path("203.0.113.7", 40_000)

    /// A demultiplexer with two agents, and their user fragments.
    private final class Rig {
        var table = Demultiplexer(maximumAgents: 3)
        var random = RandomSource(seed: 3)
        let anna: AgentID, bob: AgentID
        let annas: ShortTermCredentials, bobs: ShortTermCredentials

        init() throws {
            let (first, second) = (table.add(using: &random), table.add(using: &random))
            (anna, bob) = (try #require(first), try #require(second))
            annas = ShortTermCredentials(using: &random)
            bobs = ShortTermCredentials(using: &random)
            #expect(setCredentials([annas], of: anna) && setCredentials([bobs], of: bob))
        }

        func add() -> AgentID? { table.add(using: &random) }
        func setCredentials(_ credentials: [ShortTermCredentials], of agent: AgentID) -> Bool {
            table.setCredentials(credentials, of: agent)
        }
        func bind(_ path: Path, to agent: AgentID, isProven: Bool = true, at seconds: Int = 0) -> Bool {
            table.bind(path, to: agent, isProven: isProven, at: .zero + .seconds(seconds))
        }
        func route(_ bytes: [UInt8], along path: Path) -> Demultiplexer.Route {
            bytes.withUnsafeBytes { table.route($0, along: path) }
        }
    }

    private func message(
        _ type: STUNType, tag: UInt32 = 1, username: [UInt8]? = nil
    ) -> [UInt8] {
        Bench().write(type, TransactionID(high: tag, low: 1)) { if let username { $0.add(.username, username) } }
    }

    @Test func `first bytes tell the protocols apart`() {
        let expected: [(ClosedRange<UInt8>, PacketClass?)] = [
            (0...3, .stun), (4...15, nil), (16...19, .zrtp), (20...63, .dtls), (64...79, .channelData), (80...127, nil),
            (128...191, .rtp), (192...255, nil),
        ]
        for (range, kind) in expected {
            for byte in range { #expect(kindOf([byte, 0]) == kind, "\(byte)") }
        }
        #expect(kindOf([0x80, 200]) == .rtcp)
        #expect(kindOf([0x80, 96]) == .rtp)
        #expect(kindOf([]) == nil)
    }

    private func kindOf(_ bytes: [UInt8]) -> PacketClass? { bytes.withUnsafeBytes { PacketClass($0) } }

    @Test func `requests go by user fragment, responses by tag, the rest by path`() throws {
        let rig = try Rig()
        let request = message(STUNType(.request, .binding), username: rig.bobs.ufrag + Array(":them".utf8))
        #expect(rig.route(request, along: remote) == .agent(rig.bob, .stun))
        #expect(
            rig.route(message(STUNType(.success, .binding), tag: rig.anna.tag), along: remote)
                == .agent(rig.anna, .stun))
        #expect(rig.route([0x80, 0, 1], along: remote) == .refused(.unknownPath))
        #expect(rig.bind(remote, to: rig.anna))
        #expect(rig.route([0x80, 0, 1], along: remote) == .agent(rig.anna, .rtp))
        #expect(rig.route([22, 0, 1], along: remote) == .agent(rig.anna, .dtls))
        #expect(rig.route(message(STUNType(.indication, .binding)), along: remote) == .agent(rig.anna, .stun))
        // Another local address, another port: other paths.
        #expect(rig.route([22, 0, 1], along: Path(local: 1, remote: remote.remote)) == .refused(.unknownPath))
        #expect(rig.route([22, 0, 1], along: path("203.0.113.7", 40_001)) == .refused(.unknownPath))
    }

    @Test func `STUN without user name, TURN and channels are for the server`() throws {
        let rig = try Rig()
        #expect(rig.bind(remote, to: rig.anna))
        #expect(rig.route(message(STUNType(.request, .binding)), along: remote) == .server)
        #expect(rig.route(message(STUNType(.request, .allocate), username: rig.annas.ufrag), along: remote) == .server)
        #expect(rig.route([0x40, 0, 0, 0], along: remote) == .server)
        let stranger = message(STUNType(.request, .binding), username: Array("abcdefgh:them".utf8))
        #expect(rig.route(stranger, along: remote) == .refused(.unknownUser))
        #expect(
            rig.route(message(STUNType(.success, .binding), tag: 0), along: remote) == .refused(.unknownTransaction))
        #expect(rig.route([0, 1, 2], along: remote) == .refused(.malformed))
        #expect(rig.route([255], along: remote) == .refused(.unknownProtocol))
        #expect(rig.table.refusals.total == 4)
    }

    @Test func `paths are won by proof, and kept while it is fresh`() throws {
        let rig = try Rig()
        #expect(rig.bind(remote, to: rig.anna, isProven: false))
        // Who only sends, perhaps with a forged address, takes nothing from anybody.
        #expect(!rig.bind(remote, to: rig.bob, isProven: false))
        // Who receives there takes it from who only sends,
        #expect(rig.bind(remote, to: rig.bob))
        #expect(rig.route([22], along: remote) == .agent(rig.bob, .dtls))
        // and not from who received there lately.
        #expect(!rig.bind(remote, to: rig.anna, at: 30))
        #expect(!rig.bind(remote, to: rig.anna, isProven: false, at: 99))
        #expect(rig.bind(remote, to: rig.anna, at: 31))
        #expect(rig.route([22], along: remote) == .agent(rig.anna, .dtls))
        #expect(rig.table.pathCount == 1)
    }

    @Test func `an agent's entries go with it, and its slot's next tenant is another`() throws {
        let rig = try Rig()
        for port in 1...UInt16(100) { _ = rig.bind(path("203.0.113.7", port), to: rig.anna) }
        #expect(rig.table.pathCount == ICELimits.pathsPerAgent)
        #expect(rig.route([22], along: path("203.0.113.7", 100)) == .agent(rig.anna, .dtls))
        let request = message(STUNType(.request, .binding), username: rig.annas.ufrag + Array(":them".utf8))
        rig.table.remove(rig.anna)
        #expect(rig.table.pathCount == 0 && rig.table.agentCount == 1)
        #expect(rig.route(request, along: remote) == .refused(.unknownUser))
        #expect(!rig.bind(remote, to: rig.anna))
        let next = try #require(rig.add())
        #expect(next.slot == rig.anna.slot && next.tag != rig.anna.tag)
        #expect(rig.add() != nil)
        #expect(rig.add() == nil, "there is a limit")
        rig.table.remove(rig.anna)
        #expect(rig.table.agentCount == 3, "who is gone takes nothing along")
    }

    @Test func `a restart adds a user fragment, and two agents never have the same`() throws {
        let rig = try Rig()
        let fresh = ShortTermCredentials(using: &rig.random)
        #expect(rig.setCredentials([fresh, rig.annas], of: rig.anna))
        for credentials in [fresh, rig.annas] {
            let request = message(STUNType(.request, .binding), username: credentials.ufrag + Array(":them".utf8))
            #expect(rig.route(request, along: remote) == .agent(rig.anna, .stun))
        }
        #expect(!rig.setCredentials([fresh], of: rig.bob))
    }
}
