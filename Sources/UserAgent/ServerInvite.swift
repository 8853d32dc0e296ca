import Base
import SIP

/// An INVITE that rings here, until it is answered, refused or withdrawn (RFC 3261 §13.3.1).
struct ServerInvite: Sendable {
    /// Proxies give up an INVITE that is silent for three minutes (timer C), so 180 is repeated (§13.3.1.1).
    private static let reminder = Duration.seconds(60)
    /// A caller whose CANCEL was lost shall not ring for ever.
    private static let patience = Duration.seconds(180)

    let request: ServerRequest
    private let tag: [UInt8]
    /// Our Contact is a SIPS URI.
    private let isSecure: Bool
    private var ringAgainAt: Instant
    private(set) var giveUpAt: Instant
    /// The reliable 180 that has not been acknowledged (RFC 3262 §3).
    private var unacknowledged: Repetition?
    private var rseq: UInt32

    init(_ request: ServerRequest, tag: [UInt8], isSecure: Bool, _ stack: Stack, at now: Instant) {
        (self.request, self.tag, self.isSecure) = (request, tag, isSecure)
        ringAgainAt = now + Self.reminder
        giveUpAt = now + Self.patience
        // RFC 3262 §3: the first number is chosen from 1 to 2^31 - 1.
        rseq = UInt32(truncatingIfNeeded: stack.random.next() & 0x3fff_ffff) + 1
        if let seconds = request.message.secondsToLive { giveUpAt = min(giveUpAt, now + .seconds(seconds)) }
    }

    /// Sends 180: reliably when the caller insists, or where a lost one would not be noticed.
    mutating func ring(_ stack: Stack, at now: Instant) {
        let message = request.message
        let isRequired = message.require.contains("100rel")
        let wanted = isRequired || (message.supported.contains("100rel") && !stack.configuration.transport.isReliable)
        // A first reliable response to an INVITE without offer would have to carry ours (RFC 3262 §5), which the page gives
        // when it answers.
        let reliably = wanted && !message.body.isEmpty
        guard !isRequired || reliably else { return stack.reply(100, to: request, at: now) }
        guard unacknowledged == nil else { return }
        var response = stack.response(180, to: request, tag: tag)
        response.copy(.recordRoute, from: message)
        stack.addSessionHeaders(&response, isSecure: isSecure, isRequest: false)
        if reliably {
            response.add(.require, "100rel")
            response.add(.rseq, number: Int(rseq))
        }
        let ringing = response.finish()
        stack.send(ringing, to: request, at: now)
        if reliably { unacknowledged = Repetition(ringing, longest: nil, at: now) }
    }

    /// What the PRACK that is waited for acknowledges.
    var outstanding: RAck? {
        guard unacknowledged != nil, let number = request.message.sequenceNumber else { return nil }
        return RAck(responseNumber: rseq, cseq: CSeq(number: number, method: .invite))
    }

    /// PRACK.
    ///
    /// - Returns: false when it acknowledges nothing of ours: 481.
    mutating func acknowledge(_ prack: SIPMessage) -> Bool {
        guard let outstanding, prack.parsedRAck == outstanding else { return false }
        unacknowledged = nil
        rseq &+= 1
        return true
    }

    var nextTimeout: Instant {
        min(unacknowledged?.nextTimeout ?? ringAgainAt, min(ringAgainAt, giveUpAt))
    }

    /// - Returns: the status to refuse the INVITE with, when it has to end.
    mutating func handleTimeout(_ stack: Stack, at now: Instant) -> Int? {
        if now >= giveUpAt { return 480 }
        switch unacknowledged?.handleTimeout(at: now) {
        case .send: if let unacknowledged { stack.send(unacknowledged.message, to: request, at: now) }
        // RFC 3262 §3: the caller cannot be reached.
        case .giveUp: return 504
        case nil: break
        }
        if now >= ringAgainAt {
            ringAgainAt = now + Self.reminder
            ring(stack, at: now)
        }
        return nil
    }
}

extension SIPMessage {
    var parsedRAck: RAck? {
        do throws(SIPParseError) { return try rack() } catch { return nil }
    }

    /// Expires of an INVITE (RFC 3261 §13.2.1), when it is sensible.
    fileprivate var secondsToLive: Int? {
        do throws(SIPParseError) {
            guard let seconds = try expires(), seconds > 0, seconds < 86_400 else { return nil }
            return seconds
        } catch { return nil }
    }
}
