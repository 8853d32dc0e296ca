import Base
import UserAgent

/// The phone as the page drives it: frames in, frames out, milliseconds of the page's clock.
///
/// Everything a page can do wrong gives a number back; nothing traps. The exports are these methods and no more. It is
/// not copyable: a copy of a whole phone would never be meant, and its code weighs 4 KB.
package struct Seam: ~Copyable, Sendable {
    /// 0, or the raw value of a `CommandError` or `FrameError`.
    package typealias Status = Int32
    package static let success = Status(0)

    private var agent: UserAgent?
    /// The frame that `poll` gave last: it stays in memory until the next one.
    package private(set) var output: [UInt8] = []

    package init() {}

    /// Makes the phone, in place of one made before. The frame is that of `Configuration`.
    package mutating func start(_ frame: [UInt8], random: RandomSource, milliseconds: Double) -> Status {
        do throws(FrameError) {
            let configuration = try Configuration(frame: frame)
            do throws(CommandError) {
                agent = try UserAgent(configuration: configuration, random: random, at: Self.instant(milliseconds))
                return Self.success
            } catch {
                return Status(error.rawValue)
            }
        } catch {
            return Status(error.rawValue)
        }
    }

    package mutating func command(_ frame: [UInt8], milliseconds: Double) -> Status {
        do throws(FrameError) {
            let command = try Command(frame: frame)
            guard agent != nil else { throw .notStarted }
            do throws(CommandError) {
                try agent?.perform(command, at: Self.instant(milliseconds))
                return Self.success
            } catch {
                return Status(error.rawValue)
            }
        } catch {
            return Status(error.rawValue)
        }
    }

    /// One message from the WebSocket.
    package mutating func received(_ message: [UInt8], milliseconds: Double) {
        agent?.receive(message, at: Self.instant(milliseconds))
    }

    package mutating func connected(milliseconds: Double) { agent?.connected(at: Self.instant(milliseconds)) }
    package mutating func disconnected(milliseconds: Double) { agent?.disconnected(at: Self.instant(milliseconds)) }
    package mutating func timeout(milliseconds: Double) { agent?.handleTimeout(at: Self.instant(milliseconds)) }

    /// When `timeout` wants to be called, in milliseconds of the page's clock; infinity: never.
    package var deadline: Double {
        guard let due = agent?.nextTimeout else { return .infinity }
        // Rounded up, so that the timer never fires just before what it is for.
        let (whole, rest) = due.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return Double(whole) + (rest > 0 ? 1 : 0)
    }

    /// Makes the next output frame `output`.
    ///
    /// - Returns: its length, or 0 when there is none.
    package mutating func poll() -> Int {
        output = agent?.pollOutput()?.frame ?? []
        return output.count
    }

    /// A page's clock that is no number, negative or beyond 292 years is taken at the nearest end.
    private static func instant(_ milliseconds: Double) -> Instant {
        guard milliseconds > 0 else { return .zero }
        let nanoseconds = milliseconds * 1_000_000
        return Instant(nanoseconds: nanoseconds < 9.2e18 ? Int64(nanoseconds) : .max)
    }
}
