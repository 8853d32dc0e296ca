import Base

/// What the media worker tells for the log. Addresses and names are for the level debug.
package enum MediaEvent: Equatable, Sendable {
    case allocated(user: [UInt8], relayed: TransportAddress)
    case ended(user: [UInt8])
    /// A relay's socket could not be opened for another reason than that its port is taken.
    case relayRefused(TransportAddress, SocketError)
    /// A relay's socket failed, and its allocation ended.
    case relayFailed(errno: Int32)
    /// The media port's own socket reported an error. It goes on.
    case portFailed(errno: Int32)
    /// So many datagrams were lost since the last such event: by full buffers, and refused with this error.
    case lost(full: Int, refused: Int, errno: Int32)
}
