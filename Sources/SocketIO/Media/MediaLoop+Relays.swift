import Base
import CSockets
import Glibc
import TURN

/// What the core asks for besides packets. None of this happens for each of them.
extension MediaLoop {
    mutating func takeOutputs(at now: Instant) {
        while let output = server.pollOutput() {
            switch output {
            case .open(let relay, let address): open(relay, at: address, now)
            case .close(let relay): close(relay)
            case .send(let answer, let client):
                if outbox.isFull { sendAll() }
                answer.withUnsafeBytes { bytes in
                    send(bytes, to: client)
                    // The answer's memory ends here.
                    sendAll()
                }
            case .event(.allocated(let user, let relayed)): report(.allocated(user: user, relayed: relayed))
            case .event(.ended(let user)): report(.ended(user: user))
            }
        }
    }

    private mutating func open(_ relay: RelayID, at address: TransportAddress, _ now: Instant) {
        let place = portCount + Int(relay.slot)
        while sockets.count <= place { sockets.append(MediaSocket()) }
        do throws(SocketError) {
            sockets[place] = try MediaSocket(binding: address, relay: relay)
            let failure = hearth_poll_watch(poll, sockets[place].descriptor, UInt64(place))
            if failure < 0 {
                sockets[place].close()
                throw .system(-failure)
            }
            server.opened(relay, succeeded: true, at: now)
        } catch {
            // A taken port is nothing to tell: the core draws another one.
            if error != .portInUse(address) { report(.relayRefused(address, error)) }
            server.opened(relay, succeeded: false, at: now)
        }
    }

    private mutating func close(_ relay: RelayID) {
        let place = portCount + Int(relay.slot)
        guard place < sockets.count, sockets[place].relay == relay else { return }
        // What is on its way leaves first.
        sendAll()
        sockets[place].close()
    }

    /// A socket reported an error. A relay's ends its allocation and nothing else; the media port goes on.
    mutating func fail(_ place: Int, _ code: Int32) {
        // Memory is short for the moment: what waits is read at the next turn.
        guard code != ENOMEM, code != ENOBUFS else { return }
        guard let relay = sockets[place].relay else { return report(.portFailed(errno: code)) }
        report(.relayFailed(errno: code))
        server.failed(relay)
        takeOutputs(at: MonotonicClock.now)
    }
}
