import Base
import NIOSSL

extension NIOSSLCertificate {
    /// Whether this is a certificate for a host of that name (RFC 5922 §7.1; a wildcard for the first label as on the web,
    /// RFC 6125 §6.4.3).
    ///
    /// NIOSSL's own check also takes a certificate for the address that was connected to. Who can forge a name server's
    /// answer would then need a certificate for an address of his own only, and anybody gets that.
    func isFor(host: String) -> Bool {
        let dot = UInt8(0x2e)
        var wanted = Array(host.utf8).map(ASCII.lowercased)
        if wanted.last == dot { wanted.removeLast() }
        let parent = wanted.firstIndex(of: dot).map { wanted[$0...] }
        for name in _subjectAlternativeNames() where name.nameType == .dnsName {
            let shown = name.contents.map(ASCII.lowercased)
            if shown == wanted { return true }
            if let parent, shown.first == 0x2a, shown.dropFirst() == parent { return true }
        }
        return false
    }
}
