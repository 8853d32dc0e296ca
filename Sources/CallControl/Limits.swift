import Base

extension CallController {
    /// Every bound on what peers can make the server hold or do, and every waiting time that is policy rather than protocol.
    package struct Limits: Sendable {
        // MARK: Registrations

        /// Shortest registration accepted, else 423 (RFC 3261 §10.3 step 6): below it, refreshes are load without use.
        package var minimumExpires = 60
        /// Longest registration granted, in seconds: a vanished device is forgotten within the hour.
        package var maximumExpires = 3_600
        /// Granted when a REGISTER asks for no duration.
        package var defaultExpires = 3_600
        /// Bindings of one person: ten phones, and tabs in as many browsers. 403 beyond.
        package var bindingsPerPerson = 32
        /// Contacts in one REGISTER; a device has one, dual-stack ones two.
        package var contactsPerRegister = 8
        /// Bytes of one Contact URI.
        package var contactLength = 512
        /// Path entries of one binding, and their bytes together.
        package var pathEntries = 8
        package var pathLength = 1_024
        /// RFC 5626 §4.4.1 Flow-Timer, in seconds: how often a client sends keep-alives, below the UDP NAT time-outs of home routers.
        package var flowTimer = 25
        /// Registrations whose 200 waits for the disk. 503 beyond: the disk does not keep up.
        package var registrationsInFlight = 50_000
        /// How long refreshed lifetimes are gathered before they are written without a ticket.
        package var refreshInterval = Duration.seconds(20)

        // MARK: Requests

        /// Requests being proxied at one time, 32 s after their end included. 503 with Retry-After beyond.
        package var transactions = 400_000
        /// INVITEs one person may have pending at one time; more is a loop or a dialler. 486 beyond.
        package var pendingCallsPerPerson = 16
        /// Branches of one request; no more than `maximumBreadth`.
        package var forksPerRequest = 60
        /// Max-Forwards given to a request that brings none (RFC 3261 §16.6 step 3).
        package var maximumForwards = 70
        /// Max-Breadth given to a request that brings none, and the most one may ask for (RFC 5393 §5.3.3).
        package var maximumBreadth = 60
        /// Route entries looked at.
        package var routes = 32
        /// How long a phone may ring before the caller hears that nobody answers (408).
        package var noAnswer = Duration.seconds(45)
        /// Timer C (RFC 3261 §16.6 step 11): above three minutes; only branches outside the household live to see it.
        package var timerC = Duration.seconds(185)
        /// How long a request waits for a page that is just reconnecting before it is answered 480.
        package var reconnect = Duration.seconds(4)
        /// A device whose connection went within this time is waited for; one that has been gone longer is not there.
        package var reconnectGrace = Duration.seconds(15)
        /// A device whose stream closed is forgotten when it has not registered anew in this time: a page that was closed
        /// without a word, and not one whose server or network was away for a moment.
        package var absence = Duration.seconds(30)
        /// The same after a start, when everybody comes back at once and laptops may have slept for longer.
        package var absenceAfterStart = Duration.seconds(120)
        /// Requests that wait for a device, a name server or a connection.
        package var waiting = 4_000
        /// Next hops tried for one request outside the household (RFC 3263 §4.3).
        package var nextHops = 6
        /// How long a name server or a connection attempt may take.
        package var resolution = Duration.seconds(8)
        /// How long a connection may take that is only tried because the request is large; UDP takes over then.
        package var streamTrial = Duration.seconds(2)
        /// Bytes that one datagram may have without knowing the path's MTU (RFC 3261 §18.1.1).
        package var datagram = 1_300

        // MARK: Wrong passwords

        /// Failed digests one address may send at once before it is told to wait.
        package var failuresPerAddress = 20
        /// Failed digests for one user name before it is told to wait, from anywhere but where that user is registered.
        package var failuresPerAccount = 10
        /// One failure is forgiven in this time.
        package var failureDecay = Duration.seconds(6)
        /// Addresses and user names with failures that are remembered; the oldest are forgotten first.
        package var rememberedFailures = 16_384

        package init() {}
    }
}
