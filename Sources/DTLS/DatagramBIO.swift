internal import COpenSSL

/// OpenSSL's way to the network, ended in a session: what it writes at once is one datagram, and it reads one at a time.
///
/// OpenSSL's own memory BIOs are streams, in which the ends of datagrams are lost.
enum DatagramBIO {
    // Made once, never changed: OpenSSL only reads it.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "a datagram session") else {
            return nil
        }
        BIO_meth_set_create(method) { bio in
            BIO_set_init(bio, 1)
            return 1
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let session = session(of: bio), let bytes, count > 0 else { return -1 }
            session.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            hearth_bio_clear_retry(bio)
            guard let session = session(of: bio), let bytes, count > 0 else { return -1 }
            let read = session.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            if read == nil { hearth_bio_set_retry_read(bio) }
            return read.map { CInt(truncatingIfNeeded: $0) } ?? -1
        }
        BIO_meth_set_ctrl(method) { _, command, number, _ in
            switch command {
            case BIO_CTRL_FLUSH: 1
            case BIO_CTRL_DGRAM_QUERY_MTU, BIO_CTRL_DGRAM_GET_MTU, BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
                DTLSSession.maximumDatagram
            case BIO_CTRL_DGRAM_SET_MTU: number
            default: 0
            }
        }
        return method
    }()

    /// A new one; the session outlives it.
    static func make(for session: DTLSSession) -> OpaquePointer? {
        guard let method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(session).toOpaque())
        return bio
    }

    private static func session(of bio: OpaquePointer?) -> DTLSSession? {
        BIO_get_data(bio).map { Unmanaged<DTLSSession>.fromOpaque($0).takeUnretainedValue() }
    }
}
