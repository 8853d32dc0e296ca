import Base
import SIP

/// What a phone or a person proves herself with: digest HA1s (RFC 7616 §3.4.2) as raw bytes.
package struct PhoneCredential: Sendable, Equatable {
    /// What the person calls the phone; unique among hers.
    package var label: [UInt8]
    /// MD5(user:domain:password), 16 bytes.
    package var md5: [UInt8]
    /// SHA-256(user:domain:password), 32 bytes; empty when unknown.
    package var sha256: [UInt8]

    package init(label: [UInt8], md5: [UInt8], sha256: [UInt8]) {
        (self.label, self.md5, self.sha256) = (label, md5, sha256)
    }

    /// As digest computes with them.
    var ha1: DigestHA1 {
        func digits(_ bytes: [UInt8], _ count: Int) -> [UInt8]? {
            guard bytes.count == count else { return nil }
            var out: [UInt8] = []
            out.appendHexadecimal(bytes)
            return out
        }
        return DigestHA1(md5: digits(md5, 16), sha256: digits(sha256, 32))
    }
}

/// A person as far as calls go: a SIP user name and her phones. A person without phones is reached in her pages alone.
package struct SIPAccount: Sendable, Equatable {
    /// The part before @, lower case.
    package var user: [UInt8]
    package var phones: [PhoneCredential]

    package init(user: [UInt8], phones: [PhoneCredential] = []) { (self.user, self.phones) = (user, phones) }
}

/// One device under a person's address (RFC 3261 §10), as it is stored.
package struct Binding: Sendable, Equatable {
    package var user: [UInt8]
    /// What makes the binding one among the person's: instance and reg-id (RFC 5626 §6), else the Contact URI.
    package var key: [UInt8]
    /// The Contact URI, as the device wrote it.
    package var contact: [UInt8]
    /// `+sip.instance` without quotes and angle brackets; empty when absent.
    package var instance: [UInt8] = []
    /// RFC 5626 §4.2; 0 when absent.
    package var regID: UInt32 = 0
    /// Preference in thousandths.
    package var q: UInt16 = 1_000
    package var callID: [UInt8] = []
    package var cseq: UInt32 = 0
    /// Path URIs in brackets, first hop first (RFC 3327).
    package var path: [[UInt8]] = []
    /// The phone's label when digest named one: removing the phone removes its bindings. Empty for pages.
    package var phone: [UInt8] = []
    /// User-Agent, cut to a line's length; for people to tell devices apart.
    package var userAgent: [UInt8] = []
    /// Where the device is reached. After a restart only UDP flows still lead somewhere.
    package var flow: Flow
    /// What remains of the lifetime at the moment of handing over; the store keeps the wall-clock end.
    package var remaining: Duration

    package init(user: [UInt8], key: [UInt8], contact: [UInt8], flow: Flow, remaining: Duration) {
        (self.user, self.key, self.contact, self.flow, self.remaining) = (user, key, contact, flow, remaining)
    }

    /// Browsers speak WebSocket, and only browsers: so the transport tells what media the device understands.
    package var isWebRTC: Bool { flow.transport == .ws || flow.transport == .wss }
}

/// What the store has to do, as one transaction on disk: first `removed`, then `saved` (insert or replace by user and key).
package struct BindingChange: Sendable, Equatable {
    package var user: [UInt8]
    /// Keys of bindings that are gone.
    package var removed: [[UInt8]]
    package var saved: [Binding]

    package init(user: [UInt8], removed: [[UInt8]] = [], saved: [Binding] = []) {
        (self.user, self.removed, self.saved) = (user, removed, saved)
    }

    package var isEmpty: Bool { removed.isEmpty && saved.isEmpty }
}
