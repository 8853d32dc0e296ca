import Base
import SDP
import Testing

@testable import Gateway

/// The phone's leg in the clear, with keys in the description, and with DTLS.
struct ProtectionTests {
    private static let theirs = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

    @Test func `a desk phone's first usable key is taken, with its tag`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.secureDesk)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines == ["m=audio 10000 RTP/SAVP 8 0 101"])
        let crypto = answer.lines.filter { $0.hasPrefix("a=crypto:") }
        #expect(crypto.count == 1 && crypto[0].hasPrefix("a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:"))
        guard case .keys(let ours, let theirs) = try bridge.audio.phone.protection else {
            Issue.record("no keys")
            return
        }
        #expect(theirs.keyAndSalt.count == 30 && theirs.keyAndSalt.first == 0x59 && ours != theirs)
        #expect(Base64.standard.encode(theirs.keyAndSalt) == Array(Self.theirs.utf8))
    }

    @Test func `of two lines for one stream the encrypted one is taken`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.twoLines)
        #expect(offer.mediaLines.count == 1)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines == ["m=audio 10000 RTP/SAVP 9 0 101", "m=audio 0 RTP/AVP 9"])
        // And stays there.
        let again = try bridge.phoneOffer(Phones.twoLines)
        #expect(try bridge.browserAnswer(browserAnswer(to: again)) == answer)
    }

    @Test func `baresip with keys, and with DTLS`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(sample("baresip-srtp"))
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines == ["m=audio 10000 RTP/SAVP 96 9 8 0 101"] && answer.hasAny("a=crypto:1 "))
        var other = Bridge()
        let second = try other.phoneOffer(sample("baresip-dtls"))
        let protected = try other.browserAnswer(browserAnswer(to: second))
        #expect(protected.mediaLines == ["m=audio 10000 UDP/TLS/RTP/SAVPF 96 9 8 0 101"])
        #expect(protected.has("a=setup:passive", in: 0))
        #expect(!protected.hasAny("a=ice") && !protected.hasAny("a=candidate"))
        #expect(try other.audio.phone.controlAddress?.port == 33_837)
    }

    @Test func `keys under RTP AVP are used when the phone has some`() throws {
        var bridge = Bridge(security: .opportunistic)
        let offer = try bridge.browserOffer(sample("chromium-audio"))
        #expect(offer.mediaLines[0].hasPrefix("m=audio 10000 RTP/AVP "))
        #expect(offer.hasAny("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:") && offer.hasAny("a=crypto:2 "))
        var plain = bridge
        _ = try plain.phoneAnswer(phone("m=audio 4000 RTP/AVP 8"))
        #expect(try plain.audio.phone.protection == .none)
        _ = try bridge.phoneAnswer(
            phone("m=audio 4000 RTP/AVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\(Self.theirs)"))
        guard case .keys = try bridge.audio.phone.protection else {
            Issue.record("no keys")
            return
        }
        // A later offer says the agreed key again, and nothing else.
        let again = try bridge.browserOffer(sample("chromium-audio"))
        #expect(again.lines.filter { $0.hasPrefix("a=crypto:") }.count == 1)
        #expect(try !plain.browserOffer(sample("chromium-audio")).hasAny("a=crypto"))
    }

    @Test func `the old form offers two lines and takes the one that is answered`() throws {
        var bridge = Bridge(security: .twoLines)
        let offer = try bridge.browserOffer(sample("chromium-audio"))
        #expect(offer.mediaLines.map { $0.split(separator: " ")[2] } == ["RTP/SAVP", "RTP/AVP"])
        let answer = try bridge.phoneAnswer(phone("m=audio 0 RTP/SAVP 8\nm=audio 4000 RTP/AVP 8"))
        #expect(answer.mediaLines.count == 1)
        #expect(try bridge.audio.phone.address?.port == 4_000)
        let again = try bridge.browserOffer(sample("chromium-audio"))
        #expect(
            again.mediaLines[0].hasPrefix("m=audio 0 RTP/SAVP")
                && again.mediaLines[1].hasPrefix("m=audio 10000 RTP/AVP"))
    }

    @Test func `DTLS of a phone: we wait for its first packet`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.dtls)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines == ["m=audio 10000 UDP/TLS/RTP/SAVP 8 101"])
        #expect(answer.has("a=setup:passive", in: 0) && answer.hasAny("a=fingerprint:sha-256 AB:AB:"))
        #expect(answer.has("a=rtcp-mux", in: 0))
        guard case .dtls(let fingerprints, .server) = try bridge.audio.phone.protection else {
            Issue.record("no DTLS")
            return
        }
        #expect(fingerprints.first?.digest.first == 0xe6)
        #expect(try bridge.audio.phone.isMuxed && bridge.audio.phone.controlAddress == bridge.audio.phone.address)
    }

    @Test func `DTLS of ours`() throws {
        var bridge = Bridge(security: .dtls)
        let offer = try bridge.browserOffer(sample("chromium-audio"))
        #expect(offer.mediaLines[0].hasPrefix("m=audio 10000 UDP/TLS/RTP/SAVP ") && offer.has("a=setup:actpass"))
        let answer = Phones.dtls.replacing("actpass", with: "active")
        _ = try bridge.phoneAnswer(answer)
        guard case .dtls(_, .server) = try bridge.audio.phone.protection else {
            Issue.record("no DTLS")
            return
        }
    }

    @Test func `an older peer's fingerprint under RTP SAVPF is DTLS`() throws {
        var bridge = Bridge()
        _ = try bridge.phoneOffer(Phones.dtls.replacing("UDP/TLS/RTP/SAVP", with: "RTP/SAVPF"))
        var blind = Bridge(hasCertificate: false)
        #expect(throws: GatewayError.noUsableKeys) { try blind.phoneOffer(Phones.dtls) }
    }

    @Test func `what is not encrypted is refused where it must be`() throws {
        var bridge = Bridge { $0.requiresEncryption = true }
        #expect(throws: GatewayError.encryptionRequired) { try bridge.phoneOffer(Phones.desk) }
        var strict = Bridge(security: .keys)
        _ = try strict.browserOffer(sample("chromium-audio"))
        #expect(throws: GatewayError.encryptionRequired) { try strict.phoneAnswer(phone("m=audio 4000 RTP/AVP 8")) }
        #expect(throws: GatewayError.noUsableKeys) { try strict.phoneAnswer(phone("m=audio 4000 RTP/SAVP 8")) }
    }

    @Test(arguments: [
        "1 AES_CM_128_HMAC_SHA1_80 inline:short", "1 UNKNOWN inline:\(theirs)", "1 AES_CM_128_HMAC_SHA1_80 \(theirs)",
        "x AES_CM_128_HMAC_SHA1_80 inline:\(theirs)", "1 AES_CM_128_HMAC_SHA1_80 inline:\(theirs) UNENCRYPTED_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:\(theirs)|1:4", "1 AES_CM_128_HMAC_SHA1_80", "",
        "1 AEAD_AES_128_GCM inline:\(theirs)",
        "1 AES_CM_128_HMAC_SHA1_80 inline:\(theirs);inline:\(theirs)",
    ])
    func `keys that cannot be used are overlooked`(text: String) {
        #expect(CryptoAttribute(parsing: Array(text.utf8)[...]) == nil)
    }

    @Test func `the example of RFC 4568 is read and written`() throws {
        let text = Array("1 AES_CM_128_HMAC_SHA1_80 inline:\(Self.theirs)".utf8)
        let crypto = try #require(CryptoAttribute(parsing: text[...]))
        #expect(crypto.bytes == text)
        #expect(CryptoAttribute(parsing: text[...] + Array("|2^20 WSH=64".utf8))?.key == crypto.key)
    }
}
