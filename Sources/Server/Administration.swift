import Accounts
import Base
import Foundation
import Store

/// What the command line does to a household, whether or not its server runs: both use the same database, and a running
/// server hears of every change.
package struct Administration: Sendable {
    private let store: HouseholdStore
    private let domain: String
    private let publicURL: String
    private let phoneHost: String
    private let transports: [String]

    /// Opens the household. What the server last ran with counts, unless flags or the environment say otherwise.
    package init(_ written: WrittenSettings) async throws {
        let settings = try Settings(written)
        try DataFolder.prepare(settings.dataFolder)
        store = try await Household.open(settings)
        let served = try await Household.served(store)
        domain = written[.domain]?.lowercased() ?? served.domain ?? settings.domain
        publicURL = settings.publicURL ?? served.publicURL ?? Site.defaultURL(settings)
        let site = Site(settings, domain: domain, publicURL: publicURL)
        phoneHost = site.phoneHost
        transports = served.transports.isEmpty ? site.transports(settings) : served.transports
    }

    package func close() async { await store.close() }

    // MARK: - People

    package struct PersonLine: Encodable, Sendable {
        package var userName: String
        package var fullName: String
        /// `owner`, `member`, `invited` until the join link was used, or `phone` for somebody with telephones alone.
        package var role: String
        package var address: String
        package var phones: Int
        package var reachable: Bool
    }

    package func people() async throws -> [PersonLine] {
        let reachable = try await store.reachablePeople()
        var lines: [PersonLine] = []
        for person in try await store.people() {
            lines.append(
                PersonLine(
                    userName: person.userName.description, fullName: person.fullName.description,
                    role: person.keys == nil ? "phone" : person.role.rawValue,
                    address: "sip:\(person.userName)@\(domain)",
                    phones: try await store.phones(of: person.userName).count,
                    reachable: reachable.contains(person.userName)))
        }
        let joined = Set(lines.map(\.userName))
        for link in try await store.openLinks() {
            guard link.purpose != .reset, let name = link.userName, !joined.contains(name.description) else { continue }
            lines.append(
                PersonLine(
                    userName: name.description, fullName: link.fullName?.description ?? "", role: "invited",
                    address: "sip:\(name)@\(domain)", phones: 0, reachable: false))
        }
        return lines
    }

    package struct LinkLine: Encodable, Sendable {
        package var userName: String
        package var url: String
        package var expires: String
    }

    package func invite(_ name: String, fullName: String?, isOwner: Bool) async throws -> LinkLine {
        let full = try fullName.map { (text) throws(AccountError) in try FullName(parsing: text) }
        let link = try await store.invite(
            UserName(parsing: name), fullName: full, role: isOwner ? .owner : .member, inviter: nil, random: .system)
        return line(link, name)
    }

    package func reset(_ name: String) async throws -> LinkLine {
        line(try await store.reset(UserName(parsing: name), inviter: nil, random: .system), name)
    }

    private func line(_ link: FreshLink, _ name: String) -> LinkLine {
        LinkLine(
            userName: link.link.userName?.description ?? name, url: link.url(publicURL: publicURL),
            expires: link.link.expires.description)
    }

    /// Removes a person, or an invitation nobody has used.
    package func remove(_ name: String) async throws {
        let user = try UserName(parsing: name)
        if try await store.person(user) == nil,
            let link = try await store.openLinks().first(where: { $0.userName == user })
        {
            return try await store.removeLink(link.id)
        }
        try await store.remove(user)
    }

    // MARK: - Phones

    package struct PhoneLine: Encodable, Sendable {
        package var userName: String
        package var label: String
        package var created: String
    }

    package struct PhoneAccount: Encodable, Sendable {
        package var label: String
        package var server: String
        package var domain: String
        package var user: String
        package var password: String
        /// `udp 5060`, `tcp 5060`, `tls 5061`.
        package var transports: [String]
    }

    package func addPhone(_ name: String, label: String) async throws -> PhoneAccount {
        let user = try UserName(parsing: name)
        var random = RandomSource.system
        let (phone, password) = Phone.make(
            for: user, label: try PhoneLabel(parsing: label), realm: domain, random: &random, at: HouseholdStore.now())
        try await store.add(phone)
        return PhoneAccount(
            label: phone.label.description, server: phoneHost, domain: domain, user: user.description,
            password: password, transports: transports)
    }

    /// The phones of one person, or of everybody.
    package func phones(of name: String?) async throws -> [PhoneLine] {
        let users: [UserName]
        if let name {
            let user = try UserName(parsing: name)
            guard try await store.person(user) != nil else { throw AccountError.personUnknown(user) }
            users = [user]
        } else {
            users = try await store.people().map(\.userName)
        }
        var lines: [PhoneLine] = []
        for user in users {
            lines += try await store.phones(of: user).map {
                PhoneLine(
                    userName: user.description, label: $0.label.description, created: $0.created.description)
            }
        }
        return lines
    }

    package func removePhone(_ name: String, label: String) async throws {
        let user = try UserName(parsing: name)
        let wanted = try PhoneLabel(parsing: label)
        guard let phone = try await store.phones(of: user).first(where: { $0.label == wanted }) else {
            throw AccountError.phoneUnknown
        }
        try await store.removePhone(phone.id, of: user)
    }
}
