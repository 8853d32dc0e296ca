import Base

/// What happens to what a host sends or receives: one direction of its way to the network's core.
///
/// Probabilities are from 0 to 1, drawn anew for every datagram.
package struct Link: Sendable, Equatable {
    /// How often a datagram never arrives. On a stream each loss costs `retransmissionTime` instead.
    package var loss: Double
    package var delay: Duration
    /// At most this much more delay, evenly spread. Datagrams may overtake each other by it.
    package var jitter: Duration
    /// How often a datagram is held back by `reorderingDelay`, so that later ones overtake it.
    package var reordering: Double
    package var reorderingDelay: Duration
    /// How often a second copy arrives, with a delay of its own.
    package var duplication: Double
    /// Bytes of the largest datagram that gets through; longer ones vanish, as fragments do in many networks.
    package var mtu: Int

    package init(
        loss: Double = 0, delay: Duration = .milliseconds(10), jitter: Duration = .zero, reordering: Double = 0,
        reorderingDelay: Duration = .milliseconds(60), duplication: Double = 0, mtu: Int = 65_507
    ) {
        (self.loss, self.delay, self.jitter) = (loss, delay, jitter)
        (self.reordering, self.reorderingDelay) = (reordering, reorderingDelay)
        (self.duplication, self.mtu) = (duplication, mtu)
    }

    /// 10 ms, and nothing ever goes wrong.
    package static let clean = Link()

    /// How long a stream takes to notice and repair one loss: TCP's least retransmission timeout (RFC 6298 §2.4 asks
    /// for a second, everyone uses this).
    package static let retransmissionTime = Duration.milliseconds(200)

    /// The delays after which copies of one datagram leave this link: none when it is lost, two when duplicated.
    func passages(of size: Int, using random: inout RandomSource) -> [Duration] {
        guard size <= mtu, !happens(loss, using: &random) else { return [] }
        var delays = [passage(using: &random)]
        if happens(duplication, using: &random) { delays.append(passage(using: &random)) }
        return delays
    }

    private func passage(using random: inout RandomSource) -> Duration {
        let held = happens(reordering, using: &random) ? reorderingDelay : .zero
        return delay + held + spread(using: &random)
    }

    /// The delay of a stream's next piece; pieces never overtake each other, which the stream sees to.
    func streamPassage(using random: inout RandomSource) -> Duration {
        var total = delay + spread(using: &random)
        // Eight losses in a row would break a real connection too; cutting is the test's decision.
        for _ in 0..<8 where happens(loss, using: &random) { total += Self.retransmissionTime }
        return total
    }

    private func spread(using random: inout RandomSource) -> Duration {
        jitter > .zero ? .nanoseconds(Int64.random(in: 0...jitter.wholeNanoseconds, using: &random)) : .zero
    }

    private func happens(_ probability: Double, using random: inout RandomSource) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }
}
