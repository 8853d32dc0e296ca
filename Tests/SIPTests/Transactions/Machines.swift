import Base
import SIP

/// What the four transaction machines have in common, so that one driver runs them all in virtual time.
protocol TransactionMachine {
    associatedtype Action: Equatable
    var nextTimeout: Instant? { get }
    var isTerminated: Bool { get }
    mutating func handleTimeout(at now: Instant) -> Action
    static var nothing: Action { get }
}

extension InviteClientTransaction: TransactionMachine { static var nothing: Action { .none } }
extension NonInviteClientTransaction: TransactionMachine { static var nothing: Action { .none } }
extension InviteServerTransaction: TransactionMachine { static var nothing: Action { .none } }
extension NonInviteServerTransaction: TransactionMachine { static var nothing: Action { .none } }

/// Something a machine asked for, and when, in milliseconds since the test began.
struct Timed<Action: Equatable>: Equatable {
    var at: Int
    var action: Action
}

extension TransactionMachine {
    /// Wakes the machine exactly when it asks to be, until `end` or until it sleeps for good.
    mutating func run(until end: Int = 1_000_000) -> [Timed<Action>] {
        var log: [Timed<Action>] = []
        while let due = nextTimeout, due <= ms(end) {
            let action = handleTimeout(at: due)
            if action != Self.nothing { log.append(Timed(at: due.milliseconds, action: action)) }
        }
        return log
    }

    /// When the machine ends if nothing more happens, in milliseconds; nil if it never does.
    func end() -> Int? {
        var copy = self
        while let due = copy.nextTimeout {
            _ = copy.handleTimeout(at: due)
            if copy.isTerminated { return due.milliseconds }
        }
        return nil
    }
}

func ms(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

extension Instant {
    var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}

/// A message from its lines; the empty line and the body's absence are added.
func message(_ lines: String...) -> SIPMessage { message(lines) }

func message(_ lines: [String]) -> SIPMessage {
    let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
    do { return try SIPMessage(parsing: Array(text.utf8)) } catch { fatalError("the test's own message: \(error)") }
}

/// A request of Alice's with everything a transaction looks at.
func request(_ method: String, branch: String = "z9hG4bK776asdhds", cseq: Int = 314_159) -> SIPMessage {
    message(
        "\(method) sip:bob@biloxi.com SIP/2.0",
        "Via: SIP/2.0/UDP pc33.atlanta.com;branch=\(branch)",
        "Via: SIP/2.0/UDP inner.atlanta.com;branch=z9hG4bKinner",
        "Route: <sip:p1.atlanta.com;lr>, <sip:p2.biloxi.com;lr>",
        "Max-Forwards: 12",
        "To: Bob <sip:bob@biloxi.com>",
        "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
        "Call-ID: a84b4c76e66710@pc33.atlanta.com",
        "CSeq: \(cseq) \(method)",
        "Contact: <sip:alice@pc33.atlanta.com>",
        "Content-Length: 0")
}

/// A response to that request with Bob's tag.
func response(_ status: Int, to method: String = "INVITE", tag: String = "a6c85cf") -> SIPMessage {
    message(
        "SIP/2.0 \(status) Whatever",
        "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;received=192.0.2.1",
        "To: Bob <sip:bob@biloxi.com>;tag=\(tag)",
        "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
        "Call-ID: a84b4c76e66710@pc33.atlanta.com",
        "CSeq: 314159 \(method)",
        "Content-Length: 0")
}
