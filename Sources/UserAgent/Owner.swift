import SIP

/// Whose a client transaction is: who hears of its responses.
enum Owner: Equatable, Sendable {
    case registration
    /// The INVITE that makes a call.
    case invite(CallID)
    /// A request inside of a call's dialog.
    case leg(CallID, leg: UInt32, LegRequest)
    case subscription(UInt32)
    case publication(UInt32)
    case message(UInt32)
    case options(UInt32)
    /// CANCEL, and BYE of dialogs nobody wants: nothing depends on the answer.
    case nobody
}

/// What a request inside of a call's dialog is for.
enum LegRequest: Equatable, Sendable {
    case bye, prack
    /// re-INVITE or UPDATE with an offer of the page.
    case offer
    /// re-INVITE or UPDATE of the session timer.
    case refresh
    /// INFO with candidates.
    case trickle
    /// INFO with a key or anything else.
    case info
    case refer
    /// NOTIFY of a transfer we carry out.
    case notify
    case message(UInt32)
}

/// One response to a request of ours, or that there will be none.
///
/// A class, like `ServerRequest`: what never changes and is handed from part to part is one word in the browser's code.
final class ClientResult: Sendable {
    let owner: Owner
    /// The request as sent, with its last credentials.
    let request: SIPMessage
    /// nil when the transaction ended without: `status` is 408 after a timeout, 503 when it could not begin.
    let response: SIPMessage?
    let status: Int
    /// How often this request has been sent anew after a challenge or a refusal that names a remedy.
    let attempts: Int

    init(owner: Owner, request: SIPMessage, response: SIPMessage?, status: Int, attempts: Int) {
        (self.owner, self.request, self.response) = (owner, request, response)
        (self.status, self.attempts) = (status, attempts)
    }

    var isFinal: Bool { status >= 200 }
    var isSuccess: Bool { status >= 200 && status < 300 }
    var reason: [UInt8] { response.map { Array($0.reason) } ?? ReasonPhrase.text(for: status) }
}

/// A request of the peer's that waits for our final response.
final class ServerRequest: Sendable {
    /// The number of its server transaction.
    let transaction: UInt32
    let message: SIPMessage

    init(transaction: UInt32, message: SIPMessage) { (self.transaction, self.message) = (transaction, message) }
}
