/// How a call ended, as its `ended` event tells it.
struct Ending: Equatable, Sendable {
    let cause: EndCause
    var status = 0
    var reason: [UInt8] = []
}

extension EndCause {
    /// The meaning of a final response other than 2xx to our INVITE (RFC 3261 §21), in a person's terms.
    init(finalStatus status: Int) {
        switch status {
        case 486, 600: self = .busy
        case 403, 603: self = .declined
        case 408, 480, 487: self = .noAnswer
        case 404, 410, 416, 484, 485, 604: self = .notFound
        case 406, 415, 488, 606: self = .notAcceptable
        case 430, 502...504: self = .unreachable
        default: self = .failed
        }
    }
}
