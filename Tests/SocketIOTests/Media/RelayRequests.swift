import Base
import Glibc
import STUN
import TURN

/// Makes a client's requests, with credentials once it has a nonce.
final class RelayRequests {
    private var nonce: [UInt8] = []
    private let key: IntegrityKey
    private let name: [UInt8]
    private var random = RandomSource.system

    init(user: String) {
        let (name, password) = RelaySite.credentials.issue(to: Array(user.utf8), until: Int64(time(nil)) + 3_600)
        self.name = name
        key = IntegrityKey(sha1: LongTermKey.md5(user: name, realm: RelaySite.realm, password: password))
    }

    /// Asks until the answer is neither 401 nor 438.
    func ask(
        _ method: STUNMethod, _ write: (inout STUNWriter) -> Void, by exchange: ([UInt8]) -> RelayAnswer?
    ) -> RelayAnswer? {
        for _ in 0..<2 {
            guard let answer = exchange(request(method, write)) else { return nil }
            guard answer.code == .unauthenticated || answer.code == .staleNonce, let fresh = answer.nonce else {
                return answer
            }
            nonce = fresh
        }
        return nil
    }

    func request(_ method: STUNMethod, _ write: (inout STUNWriter) -> Void) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 512)
        let id = TransactionID(high: UInt32(truncatingIfNeeded: random.next()), low: random.next())
        let count = room.withUnsafeMutableBytes { bytes -> Int? in
            var writer = STUNWriter(STUNType(.request, method), id, into: bytes)
            write(&writer)
            if !nonce.isEmpty {
                writer.add(.username, name)
                writer.add(.realm, RelaySite.realm)
                writer.add(.nonce, nonce)
                writer.add(key)
            }
            return writer.finish()
        }
        return Array(room[..<(count ?? 0)])
    }

    /// The relayed address.
    func allocate(family: UInt32 = 1, by exchange: ([UInt8]) -> RelayAnswer?) -> TransportAddress? {
        ask(
            .allocate,
            {
                $0.add(.requestedTransport, UInt32(17) << 24)
                $0.add(.requestedAddressFamily, family << 24)
            }, by: exchange)?.relayed
    }

    func bind(_ channel: UInt16, to peer: TransportAddress, by exchange: ([UInt8]) -> RelayAnswer?) -> Bool {
        let answer = ask(
            .channelBind,
            {
                $0.add(.channelNumber, UInt32(channel) << 16)
                $0.add(.xorPeerAddress, xor: peer)
            }, by: exchange)
        return answer?.type.messageClass == .success
    }
}

/// What the tests read of an answer.
struct RelayAnswer {
    let type: STUNType
    let code: STUNErrorCode?
    let nonce: [UInt8]?
    let mapped: TransportAddress?
    let relayed: TransportAddress?
    let peer: TransportAddress?
    let data: [UInt8]?

    init?(_ bytes: [UInt8]) {
        let read = bytes.withUnsafeBytes { buffer -> Self? in
            (try? STUNMessage(parsing: buffer)).map { Self($0) }
        }
        guard let read else { return nil }
        self = read
    }

    private init(_ message: STUNMessage) {
        (type, code, nonce) = (message.type, message.errorCode, message.nonce.map { Array($0) })
        (mapped, relayed) = (message.xorAddress(.xorMappedAddress), message.xorAddress(.xorRelayedAddress))
        (peer, data) = (message.xorAddress(.xorPeerAddress), message.value(of: .data).map { Array($0) })
    }
}
