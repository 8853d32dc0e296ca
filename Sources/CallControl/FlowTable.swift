import Base
import SIP

/// An open stream.
struct OpenFlow: SlabElement {
    var flow: Flow?
    /// The signed-in person whose page opened it.
    var user: [UInt8] = []
    /// People with a binding over this flow; nearly always one.
    var people: [SlabReference] = []
    /// Transactions without a final response that need it.
    var transactions = 0

    static func vacant() -> OpenFlow { OpenFlow() }
}

/// The streams that are open. UDP has no state here: its flows are good as long as the socket is.
struct FlowTable: ~Copyable, Sendable {
    private(set) var flows: Slab<OpenFlow>
    private var byID = HashIndex()

    init(firstGeneration: UInt32) { flows = Slab(firstGeneration: firstGeneration) }

    /// Numbers of streams are ours and count up; multiplying spreads them over the table.
    private static func hash(_ id: UInt64) -> UInt64 { id &* 0x9e37_79b9_7f4a_7c15 ^ id >> 32 }

    func find(_ flow: Flow) -> Int? { byID.find(Self.hash(flow.id)) }

    func flow(id: UInt64) -> Flow? {
        byID.find(Self.hash(id)).flatMap { flows.elements[$0].flow }
    }

    func isOpen(_ flow: Flow) -> Bool { flow.transport == .udp || find(flow) != nil }

    mutating func open(_ flow: Flow, user: [UInt8]) {
        guard flow.transport != .udp else { return }
        if let index = find(flow) {
            flows.elements[index].flow = flow
            flows.elements[index].user = user
            return
        }
        let slot = flows.insert(OpenFlow(flow: flow, user: user))
        byID.set(Self.hash(flow.id), Int(slot.slot))
    }

    /// Forgets a stream.
    ///
    /// - Returns: what was known of it.
    mutating func close(_ flow: Flow) -> OpenFlow? {
        guard let index = find(flow) else { return nil }
        let open = flows.elements[index]
        byID.remove(Self.hash(flow.id))
        flows.remove(at: index)
        return open
    }

    /// The signed-in person of a stream; empty when there is none.
    func user(of flow: Flow) -> [UInt8] {
        guard flow.transport != .udp, let index = find(flow) else { return [] }
        return flows.elements[index].user
    }

    mutating func setUser(_ user: [UInt8], of flow: Flow) {
        guard let index = find(flow) else { return }
        flows.elements[index].user = user
    }

    mutating func addTransaction(_ delta: Int, on flow: Flow) {
        guard flow.transport != .udp, let index = find(flow) else { return }
        flows.elements[index].transactions += delta
    }

    mutating func note(person: SlabReference, on flow: Flow) {
        guard let index = find(flow), !flows.elements[index].people.contains(person) else { return }
        flows.elements[index].people.append(person)
    }

    mutating func forget(person: SlabReference, on flow: Flow) {
        guard let index = find(flow) else { return }
        flows.elements[index].people.removeAll { $0 == person }
    }

    /// The open stream to a peer, for a response whose transaction is forgotten. Rare, so a search will do.
    func stream(to remote: TransportAddress, transport: SIPTransport) -> Flow? {
        for index in flows.indices {
            if let flow = flows.elements[index].flow, flow.remote == remote, flow.transport == transport { return flow }
        }
        return nil
    }

    /// Every open stream of a signed-in person.
    func flows(of user: [UInt8]) -> [Flow] {
        flows.indices.compactMap { flows.elements[$0].user == user ? flows.elements[$0].flow : nil }
    }
}
