import Base
import Crypto
import Foundation
import SwiftASN1
import X509

/// The household's own certificate authority, made at the first start when no certificate was given.
///
/// Whoever imports `ca.pem` once is never warned again: leaves change, the authority stays.
///
///     DATA/tls/ca.pem      the authority's certificate, to import on devices
///     DATA/tls/ca.key      its key (0600)
///     DATA/tls/leaf.pem    the server's certificate, then the authority's
///     DATA/tls/leaf.key    its key (0600)
struct LocalAuthority {
    /// As long as devices that imported it are likely to live.
    private static let authorityLifetime = TimeInterval(10 * 365 * 86_400)
    /// Browsers refuse leaves above 825 days, of imported authorities as well (Apple HT210176); 398 are accepted by all.
    private static let leafLifetime = TimeInterval(397 * 86_400)
    /// A leaf is renewed when less than this is left.
    static let renewal = TimeInterval(30 * 86_400)
    /// Clocks of devices differ.
    private static let clockSkew = TimeInterval(3_600)

    let folder: String

    var chainFile: String { folder + "/leaf.pem" }
    var keyFile: String { folder + "/leaf.key" }
    var authorityFile: String { folder + "/ca.pem" }
    private var authorityKeyFile: String { folder + "/ca.key" }

    /// What the certificate is for: `localhost`, the domain, host names and addresses.
    struct Names: Equatable {
        var names: [String]
        var addresses: [IPAddress]
    }

    /// Makes what is missing, and a new leaf when names are missing in it or its time is nearly up.
    ///
    /// - Returns: whether a new leaf was made.
    func prepare(for names: Names, at now: Date = Date()) throws -> Bool {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let (authority, key) = try loadAuthority(at: now) ?? makeAuthority(at: now)
        if let leaf = try? loadLeaf(), isGood(leaf, authority, names, at: now) { return false }
        try makeLeaf(authority, key, names, at: now)
        return true
    }

    private func isGood(_ leaf: Certificate, _ authority: Certificate, _ names: Names, at now: Date) -> Bool {
        guard leaf.issuer == authority.subject, leaf.notValidAfter.timeIntervalSince(now) > Self.renewal,
            leaf.notValidBefore <= now, authority.publicKey.isValidSignature(leaf.signature, for: leaf),
            let covered = try? leaf.extensions.subjectAlternativeNames
        else { return false }
        return names.general.allSatisfy { covered.contains($0) }
    }

    // MARK: - Authority

    private func loadAuthority(at now: Date) throws -> (Certificate, Certificate.PrivateKey)? {
        guard FileManager.default.fileExists(atPath: authorityFile),
            FileManager.default.fileExists(atPath: authorityKeyFile)
        else { return nil }
        let certificate = try Certificate(pemEncoded: String(contentsOfFile: authorityFile, encoding: .utf8))
        let key = try Certificate.PrivateKey(pemEncoded: String(contentsOfFile: authorityKeyFile, encoding: .utf8))
        guard certificate.notValidAfter.timeIntervalSince(now) > Self.leafLifetime else { return nil }
        return (certificate, key)
    }

    private func makeAuthority(at now: Date) throws -> (Certificate, Certificate.PrivateKey) {
        let key = P256.Signing.PrivateKey()
        // The name tells two households' authorities apart in a device's list.
        let number = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        let subject = try DistinguishedName {
            CommonName("Hearth of this household \(number)")
            OrganizationName("Hearth")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: now - Self.clockSkew, notValidAfter: now + Self.authorityLifetime,
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            },
            issuerPrivateKey: .init(key))
        try write(key.pemRepresentation, to: authorityKeyFile, permissions: 0o600)
        try write(certificate.serializeAsPEM().pemString, to: authorityFile, permissions: 0o644)
        return (certificate, .init(key))
    }

    // MARK: - Leaf

    private func loadLeaf() throws -> Certificate {
        guard FileManager.default.fileExists(atPath: keyFile) else { throw CocoaError(.fileNoSuchFile) }
        return try Certificate.leaf(ofChain: String(contentsOfFile: chainFile, encoding: .utf8))
    }

    private func makeLeaf(
        _ authority: Certificate, _ authorityKey: Certificate.PrivateKey, _ names: Names, at now: Date
    ) throws {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(names.names.first ?? "hearth") }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: now - Self.clockSkew, notValidAfter: now + Self.leafLifetime,
            issuer: authority.subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames(names.general)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: authority.publicKey).keyIdentifier)
            },
            issuerPrivateKey: authorityKey)
        let chain = try certificate.serializeAsPEM().pemString + "\n" + authority.serializeAsPEM().pemString + "\n"
        try write(key.pemRepresentation, to: keyFile, permissions: 0o600)
        try write(chain, to: chainFile, permissions: 0o644)
    }

    /// Writes beside and renames: nobody ever reads half a file, and a key is never readable by others.
    private func write(_ text: String, to path: String, permissions: Int) throws {
        let beside = path + ".new"
        try? FileManager.default.removeItem(atPath: beside)
        guard
            FileManager.default.createFile(
                atPath: beside, contents: Data(text.utf8), attributes: [.posixPermissions: permissions])
        else { throw CocoaError(.fileWriteNoPermission) }
        guard rename(beside, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}

extension LocalAuthority.Names {
    fileprivate var general: [GeneralName] {
        names.map { .dnsName($0) }
            + addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.networkOrder[...])) }
    }
}

extension IPAddress {
    fileprivate var networkOrder: [UInt8] {
        switch self {
        case .v4(let bits): withUnsafeBytes(of: bits.bigEndian) { Array($0) }
        case .v6(let high, let low):
            withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
        }
    }
}

extension Certificate {
    /// The first certificate of a PEM chain: the server's own.
    static func leaf(ofChain text: String) throws -> Certificate {
        guard let first = try PEMDocument.parseMultiple(pemString: text).first else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return try Certificate(pemDocument: first)
    }
}
