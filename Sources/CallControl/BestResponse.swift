import Base
import SIP

/// A final response the proxy makes itself: for a device it cannot reach, or in place of an answer that never came.
struct LocalResponse: Error, Sendable, Equatable {
    var status: Int
    /// The words of the first line, for a person.
    var reason: StaticWords
    /// warn-code (RFC 3261 §20.43) of a Warning with the same words; 0: none.
    var warning = 0

    init(_ status: Int, _ reason: StaticString, warning: Int = 0) {
        (self.status, self.reason, self.warning) = (status, StaticWords(reason), warning)
    }

    static func == (left: LocalResponse, right: LocalResponse) -> Bool {
        left.status == right.status && left.reason.bytes == right.reason.bytes && left.warning == right.warning
    }

    static let trying = LocalResponse(100, "Trying")
    static let notReachable = LocalResponse(480, "Not Connected At The Moment")
    static let disconnected = LocalResponse(480, "Device Lost Its Connection")
    static let deviceUnreachable = LocalResponse(480, "Device Cannot Be Reached")
    static let nobodyAnswered = LocalResponse(408, "Nobody Answered")
    static let noResponse = LocalResponse(408, "Device Does Not Respond")
    static let notStored = LocalResponse(500, "Registration Could Not Be Saved")
    static let cancelled = LocalResponse(487, "Request Terminated")
    static let callerGone = LocalResponse(487, "Caller Lost The Connection")
    static let mediaMismatch = LocalResponse(
        488, "A Browser And A Telephone Cannot Talk Without A Gateway", warning: 305)
    static let notSecure = LocalResponse(480, "No Device With An Encrypted Connection", warning: 380)
    static let nextHopFailed = LocalResponse(500, "Next Hop Failed")
    static let unreachable = LocalResponse(503, "Next Hop Not Reachable")
    static let unknownHost = LocalResponse(502, "No Such Host")
    static let flowFailed = LocalResponse(430, "Flow Failed")
}

/// The bytes of a literal, as a value that is compared and sent.
struct StaticWords: Sendable {
    private let literal: StaticString
    init(_ literal: StaticString) { self.literal = literal }
    var bytes: [UInt8] { [UInt8](ascii: literal) }
}

/// Chooses among the final responses of a request's branches (RFC 3261 §16.7 step 6).
struct BestResponse: Sendable {
    enum Candidate: Sendable {
        case received(SIPMessage)
        case local(LocalResponse)

        var status: Int {
            switch self {
            case .received(let message): message.status ?? 500
            case .local(let local): local.status
            }
        }
    }

    private(set) var candidate: Candidate?
    /// Challenges of every 401 and 407, which go into the response if it is one of these (§16.7 step 7).
    private(set) var wwwChallenges: [[UInt8]] = []
    private(set) var proxyChallenges: [[UInt8]] = []
    /// Realms merged at most; more would be an attack on the caller.
    private static let maximumChallenges = 16

    /// Takes one branch's final response, 300 and above, into account.
    mutating func consider(_ response: Candidate) {
        if case .received(let message) = response, message.status == 401 || message.status == 407 {
            wwwChallenges += message.values(of: .wwwAuthenticate).prefix(Self.maximumChallenges).map { Array($0) }
            proxyChallenges += message.values(of: .proxyAuthenticate).prefix(Self.maximumChallenges).map { Array($0) }
            wwwChallenges.removeLast(max(0, wwwChallenges.count - Self.maximumChallenges))
            proxyChallenges.removeLast(max(0, proxyChallenges.count - Self.maximumChallenges))
        }
        guard let candidate, Self.rank(candidate) <= Self.rank(response) else {
            candidate = response
            return
        }
    }

    /// Lower is better: any 6xx, then the lowest class. Within 4xx first what the caller can mend (§16.7 step 6 names
    /// 401, 407, 415, 420 and 484), then what a person did, then what a device said, and last what we made up ourselves:
    /// that nobody answered says more than that a telephone could not be rung, and that more than that a tab is closed.
    static func rank(_ candidate: Candidate) -> Int {
        let status = candidate.status
        let isLocal = if case .local = candidate { 1 } else { 0 }
        let rank =
            switch status {
            case 600...: 0
            case 300..<400: 10
            case 401, 407: 20
            case 415, 420, 484: 21
            case 486: 22
            case 480: isLocal == 0 ? 24 : 28
            case 408: 26
            case 488: 27
            case 430, 481, 487: 29
            case 400..<500: 25
            case 503: 39
            default: 30
            }
        return rank * 2 + isLocal
    }
}
