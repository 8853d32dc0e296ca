/// The outputs that wait for `pollOutput()`, first in, first out; its memory is used again after every drain.
///
/// (Base's `OutputQueue` is generic, and generics of another module are not specialised here: taking an output out of
/// it cost as much as making it.)
struct OutputBuffer: Sendable {
    private var elements: [CallController.Output] = []
    private var head = 0

    mutating func append(_ output: CallController.Output) { elements.append(output) }

    mutating func popFirst() -> CallController.Output? {
        guard head < elements.count else { return nil }
        let output = elements[head]
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        }
        return output
    }
}
