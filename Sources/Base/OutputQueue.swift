/// The outputs of a core that wait for `pollOutput()`, first in, first out.
///
/// One array that is emptied as a whole: a core's outputs are drained after every input, so the queue is short-lived
/// and its memory is used again.
///
/// Public and inlinable like `ASCII`: unspecialised, taking an element asks the runtime for its type's metadata.
public struct OutputQueue<Element> {
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var head = 0

    @inlinable public init() {}

    @inlinable public var isEmpty: Bool { head == elements.count }
    @inlinable public var count: Int { elements.count - head }

    @inlinable public mutating func append(_ element: Element) { elements.append(element) }

    @inlinable public mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        guard head + 1 < elements.count else {
            let last = elements.removeLast()
            // Most inputs have one output: then nothing is left to be cleared.
            if head > 0 {
                elements.removeAll(keepingCapacity: true)
                head = 0
            }
            return last
        }
        let element = elements[head].take()
        head += 1
        return element
    }
}

extension OutputQueue: Sendable where Element: Sendable {}
