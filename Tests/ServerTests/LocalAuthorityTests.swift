import Base
import Foundation
import SwiftASN1
import Testing
import X509

@testable import Server

@Suite struct LocalAuthorityTests {
    private let folder = NSTemporaryDirectory() + "hearth-tls-\(UUID().uuidString)"

    private let names = LocalAuthority.Names(
        names: ["home.example", "localhost"], addresses: [.loopback, .v6(high: 0, low: 1), .v4(0xc000_0205)])

    private func permissions(_ file: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder + "/" + file)[.posixPermissions] as? Int
    }

    @Test func `makes an authority and a leaf once, keys for the owner alone`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let authority = LocalAuthority(folder: folder)
        #expect(try authority.prepare(for: names))
        #expect(try !authority.prepare(for: names))
        #expect(try permissions("ca.key") == 0o600)
        #expect(try permissions("leaf.key") == 0o600)
        let leaf = try Certificate.leaf(ofChain: String(contentsOfFile: authority.chainFile, encoding: .utf8))
        let root = try Certificate(pemEncoded: String(contentsOfFile: authority.authorityFile, encoding: .utf8))
        #expect(root.publicKey.isValidSignature(leaf.signature, for: leaf))
        #expect(leaf.notValidAfter.timeIntervalSince(leaf.notValidBefore) < 398 * 86_400)
        let covered = try #require(try leaf.extensions.subjectAlternativeNames)
        #expect(covered.contains(.dnsName("home.example")))
        #expect(covered.contains(.ipAddress(ASN1OctetString(contentBytes: [192, 0, 2, 5]))))
    }

    @Test func `renews the leaf for new names and before its end, and keeps the authority`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let authority = LocalAuthority(folder: folder)
        #expect(try authority.prepare(for: names))
        let root = try String(contentsOfFile: authority.authorityFile, encoding: .utf8)
        var more = names
        more.addresses.append(.v4(0xc000_0206))
        #expect(try authority.prepare(for: more))
        #expect(try !authority.prepare(for: names), "fewer names need no new leaf")
        #expect(try !authority.prepare(for: names, at: Date() + 300 * 86_400))
        #expect(try authority.prepare(for: names, at: Date() + 370 * 86_400))
        #expect(try String(contentsOfFile: authority.authorityFile, encoding: .utf8) == root)
    }
}
