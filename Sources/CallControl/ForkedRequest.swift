import Base
import SIP

/// One request on its way through: its server transaction and what RFC 3261 §16.7 calls the response context.
///
///     received ─> branches of the best q ring together ─> all failed ─> branches of the next q ─> … ─> best response
///                              └── 2xx: forwarded at once, the others are cancelled
///
/// It lives until its server transaction and all of its branches are over.
struct ForkedRequest: ~Copyable, SlabElement {
    var key: UInt64
    /// What answers are made from; gone after the final response.
    var request: SIPMessage?
    var answerFlow: Flow
    /// When it came.
    var begun = Instant.zero
    /// The device the request came from, when it is a registered one: answers find it over its next connection.
    var callerDevice: UInt64?
    /// Who has a call pending; counts against her limit until the final response.
    var caller: SlabReference?
    var invite: InviteServerTransaction?
    var other: NonInviteServerTransaction?
    /// The request with the changes all branches share; gone after the last branch was started.
    var plan: ForwardPlan?
    /// Max-Breadth to share out (RFC 5393 §5.3.3), and what each branch of the current group gets of it.
    var breadth: Int?
    var share: Int?
    /// Targets of lower q, the next ones last.
    var laterTargets: [Target] = []
    var firstBranch: Int?
    /// Branches in the slab, and those of them without a final response.
    var liveBranches = 0
    var pendingBranches = 0
    var best = BestResponse()
    /// A group of branches is just being started; its failures are counted afterwards.
    var isStarting = false
    /// The final response went upstream.
    var isAnswered = false
    /// The caller gave up, and these are her reasons.
    var isCancelled = false
    /// Nobody answered in time.
    var isTimedOut = false
    /// The callee is a person, whose phones ring for a limited time; outside of the household it is timer C.
    var isHousehold = true
    /// When ringing ends; for anything but INVITE, when 100 is due.
    var patience: Instant?
    /// When a caller whose connection is gone counts as gone herself.
    var abandoned: Instant?
    /// When the timer entry that counts fires.
    var timer: Instant?

    static func vacant() -> ForkedRequest {
        ForkedRequest(key: 0, answerFlow: Flow.none)
    }

    var isInvite: Bool { invite != nil }

    var isTerminated: Bool { invite?.isTerminated ?? other?.isTerminated ?? true }

    var nextTimeout: Instant? {
        let machine = invite?.nextTimeout ?? other?.nextTimeout
        return Instant.sooner(Instant.sooner(machine, patience), abandoned)
    }
}

/// What happens to a request on its way to any of its targets.
final class ForwardPlan: Sendable {
    let incoming: Incoming
    /// The shared changes: Via noted, our Routes gone, Max-Forwards lowered, credentials for us removed.
    let edit: MessageEdit
    let loop: UInt64
    /// Whether a dialog may come of it, which then has to come by here; and how it finds the caller again.
    let recordsRoute: Bool
    let callerWay: Way
    /// Listener the request came in by.
    let arrival: Int
    /// What the offer in it asks of a device; nil when anything will do.
    let media: MediaNeed?
    /// Every hop must be encrypted.
    let isSecure: Bool

    init(
        _ incoming: Incoming, edit: MessageEdit, loop: UInt64, recordsRoute: Bool = false, callerWay: Way = .outside,
        arrival: Int = 0, media: MediaNeed? = nil, isSecure: Bool = false
    ) {
        (self.incoming, self.edit, self.loop, self.recordsRoute) = (incoming, edit, loop, recordsRoute)
        (self.callerWay, self.arrival, self.media, self.isSecure) = (callerWay, arrival, media, isSecure)
    }
}

/// One place a request goes to.
struct Target: Sendable {
    /// Binding id; nil outside of the household.
    var device: UInt64?
    var person: SlabReference?
    /// Replaces the Request-URI; nil leaves it.
    var uri: [UInt8]?
    /// The device's transport, also while it is not connected; nil outside of the household.
    var transport: SIPTransport?
    /// Which of several next hops this is.
    var attempt: UInt64 = 0
    /// Path of the binding, which becomes Route.
    var path: [[UInt8]] = []
    /// Binding ids of further flows of the same device, best first, for when this one is dead (RFC 5626 §7).
    var otherFlows: [UInt64] = []
    var q: UInt16 = 1_000
    var flow: Flow?
    var hop: NextHop?
    /// How an in-dialog request finds this end again.
    var way: Way
}

/// One client transaction of a forked request.
struct Branch: ~Copyable, SlabElement {
    enum Stage: UInt8, Sendable {
        /// Waits for a device to come back.
        case waiting
        /// Waits for a name server or a connection.
        case connecting
        case sent
        /// Was sent over a stream that is gone, to a device that may come back.
        case lost
    }

    var request: SlabReference
    /// The next branch of the same request.
    var next: Int?
    /// Of its branch parameter, and that parameter's loop hash.
    var id: UInt64 = 0
    var loop: UInt64
    var flow: Flow
    var stage: Stage
    /// Binding id of the device; nil outside of the household.
    var device: UInt64?
    /// What was sent over a stream to a device, until its final response: sent again if the device comes back by another.
    var sent: SIPMessage?
    /// The CANCEL that was sent, for the same reason.
    var sentCancel: [UInt8] = []
    /// Until it is sent, and for further next hops after that.
    var target: Target?
    var invite: InviteClientTransaction?
    var other: NonInviteClientTransaction?
    var cancellation: NonInviteClientTransaction?
    /// A final response, received or assumed, is counted.
    var isDone = false
    /// When waiting ends.
    var patience: Instant?
    var timer: Instant?
    /// Reason of the CANCEL that waits for a provisional response.
    var cancelReason: [UInt8] = []

    static func vacant() -> Branch {
        Branch(
            request: SlabReference(slot: .max, generation: 0), loop: 0, flow: Flow.none, stage: .sent)
    }

    var isTerminated: Bool {
        guard stage == .sent || stage == .lost else { return isDone }
        return (invite?.isTerminated ?? other?.isTerminated ?? true) && (cancellation?.isTerminated ?? true)
    }

    var nextTimeout: Instant? {
        let machine = invite?.nextTimeout ?? other?.nextTimeout
        return Instant.sooner(Instant.sooner(machine, cancellation?.nextTimeout), patience)
    }
}

extension Instant {
    /// The sooner of two deadlines, where nil is none.
    fileprivate static func sooner(_ one: Instant?, _ other: Instant?) -> Instant? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}

extension Flow {
    /// Leads nowhere; stands in vacant slots.
    static let none = Flow(
        transport: .udp, id: .max, remote: TransportAddress(ip: .v4(0), port: 0),
        local: TransportAddress(ip: .v4(0), port: 0))
}
