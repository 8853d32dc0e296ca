/// The outputs of a core that wait for `pollOutput()`, first in, first out.
///
/// One array that is emptied as a whole: a core's outputs are drained after every input, so the queue is short-lived
/// and its memory is used again.
package struct OutputQueue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}

    package var isEmpty: Bool { head == elements.count }
    package var count: Int { elements.count - head }

    package mutating func append(_ element: Element) { elements.append(element) }

    package mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        }
        return element
    }
}

extension OutputQueue: Sendable where Element: Sendable {}
