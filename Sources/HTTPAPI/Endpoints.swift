/// The table of the JSON interface, in the order of docs/protocol.md.
extension Endpoint {
    static let all = join + signIn + me + recovery + people + invitations + phones
}
