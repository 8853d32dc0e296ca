import Base
import Crypto

/// A native SIP phone's account: a person's own user name with a password that only this phone has.
package struct Phone: Hashable, Sendable {
    /// Digest authentication tries the hashes of all of a person's phones, so that their number is kept small.
    package static let maximumPerPerson = 10

    package var id: Identifier<Phone>
    package var user: UserName
    package var label: PhoneLabel
    /// H(A1) = MD5(user:realm:password), for old phones (RFC 7616 §3.4.2, RFC 2617).
    package var md5: [UInt8]
    /// H(A1) = SHA-256(user:realm:password) (RFC 8760).
    package var sha256: [UInt8]
    package var created: WallTime

    package init(
        id: Identifier<Phone>, user: UserName, label: PhoneLabel, md5: [UInt8], sha256: [UInt8], created: WallTime
    ) {
        (self.id, self.user, self.label) = (id, user, label)
        (self.md5, self.sha256, self.created) = (md5, sha256, created)
    }

    /// A new phone and its password, which is told once and not kept.
    ///
    /// - Parameter realm: the domain of the household. The hashes are of no use under another one.
    package static func make(
        for user: UserName, label: PhoneLabel, realm: String, random: inout RandomSource, at now: WallTime
    ) -> (phone: Phone, password: String) {
        let password = makePassword(random: &random)
        let secret = Array("\(user):\(realm):\(password)".utf8)
        let phone = Phone(
            id: Identifier(random: &random), user: user, label: label, md5: Array(Insecure.MD5.hash(data: secret)),
            sha256: Array(SHA256.hash(data: secret)), created: now)
        return (phone, password)
    }

    /// 100 random bits as five groups of four, without letters that look like digits: typed from a page into a desk phone.
    /// None begins with `0x`: SIPp, for one, would read a number there.
    private static func makePassword(random: inout RandomSource) -> String {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        while true {
            let groups = (0..<5).map { _ in
                String(decoding: random.bytes(count: 4).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
            }
            if !groups[0].hasPrefix("0x") { return groups.joined(separator: "-") }
        }
    }
}
