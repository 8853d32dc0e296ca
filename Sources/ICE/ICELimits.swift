import Base

/// Times and bounds of ICE. What a peer can make grow ends at one of these.
package enum ICELimits {
    // MARK: Times

    /// Ta: between the beginnings of two checks (RFC 8445 §14.2).
    package static let checkInterval = Duration.milliseconds(50)
    /// The least RTO of a check (RFC 8445 §14.3).
    package static let minimumRTO = Duration.milliseconds(500)
    /// Rc: how often a check is sent. Rm: the last wait, in multiples of the RTO (RFC 8489 §6.2.1).
    static let copies = 7, lastWait = 16
    /// How long nothing counts as failed, since the peer may find a way that we cannot know (RFC 8863 §4): as long as a
    /// check may last.
    package static let patience = Duration.milliseconds(39_500)
    /// How long checking goes on with nothing that works: for a peer that never says that it has no more candidates,
    /// and for two routers that show each packet from another port.
    package static let checkingTime = Duration.seconds(120)
    /// How long the controlling agent waits for a better pair once one works: long enough for an answer from another
    /// continent, short enough not to be heard.
    package static let nominationDelay = Duration.milliseconds(250)
    /// Between two consent checks, varied by a fifth, and how long an answer to one holds (RFC 7675 §5.1).
    package static let consentInterval = Duration.seconds(5)
    package static let consentLifetime = Duration.seconds(30)
    /// After so long without a word on the selected pair, a nomination of a worse one is believed: more than one
    /// consent interval.
    package static let silence = Duration.seconds(8)

    // MARK: Bounds

    /// Addresses of ours. A machine at home has one or two of each family.
    package static let hosts = 8
    /// Addresses of theirs, signalled and discovered. A browser with every interface and relay has a dozen.
    package static let remoteCandidates = 64
    /// Pairs checked (RFC 8445 §6.1.2.5).
    package static let pairs = 100
    /// Paths on which requests came before the peer's credentials did.
    static let earlyChecks = 8
    /// Bytes of a user fragment and of a password that are read (RFC 8839 §5.4).
    static let ufrag = 4...256, password = 22...256
    /// Addresses of one agent that the demultiplexer remembers. Old ones make room.
    package static let pathsPerAgent = 16
}
