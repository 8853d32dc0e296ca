import Base

/// The timers of RFC 3261 table 4, as RFC 6026 §7 completes it, all derived from three figures.
///
/// Held as milliseconds: every transaction carries a copy, and a server keeps hundreds of thousands of them.
package struct Timers: Hashable, Sendable {
    /// T1, T2 and T4 in milliseconds.
    private let t1Milliseconds, t2Milliseconds, t4Milliseconds: UInt32

    /// The values of RFC 3261: 500 ms, 4 s, 5 s.
    package static let standard = Timers(t1: .milliseconds(500), t2: .seconds(4), t4: .seconds(5))

    /// - Parameters: each at least 1 ms and at most an hour; values outside are brought to the nearer end.
    package init(t1: Duration, t2: Duration, t4: Duration) {
        func milliseconds(_ duration: Duration) -> UInt32 {
            UInt32(min(max(duration.wholeNanoseconds / 1_000_000, 1), 3_600_000))
        }
        (t1Milliseconds, t2Milliseconds, t4Milliseconds) = (milliseconds(t1), milliseconds(t2), milliseconds(t4))
    }

    /// The estimated round trip; also the first wait of timers A, E and G.
    package var t1: Duration { .milliseconds(t1Milliseconds) }
    /// The longest wait between copies of a non-INVITE request or of an INVITE's response.
    package var t2: Duration { .milliseconds(t2Milliseconds) }
    /// The longest a message stays in the network.
    package var t4: Duration { .milliseconds(t4Milliseconds) }

    /// 64*T1: how long one side waits for the other at all. Timers B, F, H, L, M, and J over UDP.
    package var transactionTimeout: Duration { .milliseconds(UInt64(t1Milliseconds) * 64) }

    /// B: an INVITE without any response is given up.
    package var b: Duration { transactionTimeout }
    /// D: how long the client answers copies of a final response; at least 32 s over UDP (§17.1.1.2).
    package func d(reliable: Bool) -> Duration { reliable ? .zero : max(.seconds(32), transactionTimeout) }
    /// F: a request other than INVITE is given up.
    package var f: Duration { transactionTimeout }
    /// When a request other than INVITE that is not answered gets 100: as soon as its timer E, over UDP, has reached T2
    /// (RFC 4320 §4.1).
    package var nonInviteTrying: Duration { .milliseconds(UInt64(t1Milliseconds) * 7) }
    /// H: a final response to INVITE whose ACK never came is given up.
    package var h: Duration { transactionTimeout }
    /// I: how long the server swallows copies of the ACK.
    package func i(reliable: Bool) -> Duration { reliable ? .zero : t4 }
    /// J: how long the server answers copies of a request other than INVITE.
    package func j(reliable: Bool) -> Duration { reliable ? .zero : transactionTimeout }
    /// K: how long the client swallows copies of the response.
    package func k(reliable: Bool) -> Duration { reliable ? .zero : t4 }
    /// L: how long the server swallows copies of an INVITE that was answered 2xx (RFC 6026 §8.7).
    package var l: Duration { transactionTimeout }
    /// M: how long the client passes on further 2xx responses (RFC 6026 §8.4).
    package var m: Duration { transactionTimeout }
}

/// A message that is sent again and again until somebody answers: when the next copy is due, and how far apart.
///
/// Timers A, E and G. A late wake-up (a laptop that slept) sends one copy, never the copies that were missed.
struct Retransmission: Sendable {
    private(set) var due: Instant
    private var interval: Duration

    /// The first copy is due one `interval` from `now`.
    init(every interval: Duration, at now: Instant) {
        (self.interval, due) = (interval, now + interval)
    }

    /// Doubles the wait up to `limit`, or takes the limit itself, and counts it from the moment this copy was due.
    mutating func advance(limit: Duration?, at now: Instant, jumpingToLimit: Bool = false) {
        let doubled = interval + interval
        interval = limit.map { jumpingToLimit ? $0 : min(doubled, $0) } ?? doubled
        let punctual = due + interval
        due = punctual > now ? punctual : now + interval
    }
}
