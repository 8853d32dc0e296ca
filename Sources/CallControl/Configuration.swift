import Base
import SIP

extension CallController {
    /// What the operator decided: names, addresses, secrets, limits. Checked by whoever makes it; fixed for the life of a controller.
    package struct Configuration: Sendable {
        /// A digest algorithm in the order it is offered (RFC 8760 §2.3).
        package enum DigestAlgorithm: UInt8, Sendable { case md5, sha256 }

        /// Which algorithms phones are offered, as an operator says it (`--sip-digest`).
        package enum DigestOffer: String, CaseIterable, Sendable {
            /// For households with phones that bear no other word in a challenge, Debian's baresip for one.
            case md5
            /// SHA-256 first, MD5 for those that lack it: RFC 8760's order.
            case both

            package var algorithms: [DigestAlgorithm] {
                switch self {
                case .md5: [.md5]
                case .both: [.sha256, .md5]
                }
            }
        }

        /// One place where messages arrive, and how the other side must write it to come back.
        package struct Listener: Sendable {
            package var transport: SIPTransport
            /// For UDP the socket's number: the `id` of every flow that comes in or goes out through it. Others: 0.
            package var id: UInt64
            /// Host for Via and Record-Route, without brackets: a name or an address that peers can reach.
            package var host: [UInt8]
            /// The port peers reach it at.
            package var port: UInt16
            /// The bound address. For UDP the `local` of flows made here; tells IPv4 sockets from IPv6 ones.
            package var local: TransportAddress

            package init(transport: SIPTransport, id: UInt64, host: [UInt8], port: UInt16, local: TransportAddress) {
                (self.transport, self.id, self.host, self.port, self.local) = (transport, id, host, port, local)
            }
        }

        /// The part after @ of everybody's address, lower case; also the digest realm.
        package var domain: [UInt8]
        /// Further host names and addresses that mean this server (`192.168.1.5`, `hearth.local`), lower case, IPv6 without brackets.
        package var aliases: [[UInt8]] = []
        package var listeners: [Listener] = []
        /// 32 random bytes that outlive restarts: nonces, Record-Route tokens, branches and GRUUs are keyed with it.
        package var secret: [UInt8]
        /// Offered in this order. MD5 alone, because baresip 1.0 gives up (ENOSYS) when any challenge names an algorithm it
        /// lacks, in whatever place it stands, and SIPp 3.6 reads the first only. A phone's password has 100 random bits, so
        /// MD5's weakness gives nothing away. `DigestOffer.both` is for households without such phones.
        package var digestAlgorithms = DigestOffer.md5.algorithms
        /// What the response to a challenge covers, as offered.
        package var digestQualities: [DigestQuality] = [.auth, .authInt]
        package var limits = Limits()
        package var timers = Timers.standard
        /// The Server header of answers; empty: none, so that scanners learn nothing.
        package var serverHeader: [UInt8] = []

        package init(domain: [UInt8], secret: [UInt8]) { (self.domain, self.secret) = (domain, secret) }
    }
}
