import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let people = [
        Endpoint(
            method: .get, path: "/api/people", summary: "Everybody of the household.", access: .signedIn, status: .ok,
            answer: "People"
        ) { call in
            let reachable = try await call.store.reachablePeople()
            return try Answer(
                try await call.store.people().map { person in
                    PersonAnswer(
                        userName: person.userName.description, fullName: person.fullName.description,
                        role: person.role.rawValue, address: call.address(of: person.userName),
                        signingPublic: person.keys.map { JSONBytes($0.signing) },
                        agreementPublic: person.keys.map { JSONBytes($0.agreement) },
                        fingerprint: person.keys?.fingerprint.description,
                        reachable: reachable.contains(person.userName))
                })
        },
        Endpoint(
            method: .patch, path: "/api/people/{userName}", summary: "Makes somebody an owner or a member.",
            access: .owner, body: "RoleRequest", status: .noContent,
            refusals: [.like(.personUnknown(.example)), .like(.lastOwner(.example)), .like(.notJoined(.example))]
        ) { call in
            let role = try call.role(try call.decode(RoleRequest.self).role)
            try await call.store.setRole(of: call.userName(), to: role)
            return .empty
        },
        Endpoint(
            method: .delete, path: "/api/people/{userName}",
            summary: "Removes somebody with sessions, phones and keys, for good.", access: .owner, status: .noContent,
            refusals: [.like(.personUnknown(.example)), .like(.lastOwner(.example))]
        ) { call in
            try await call.store.remove(call.userName())
            return .empty
        },
        Endpoint(
            method: .post, path: "/api/people/{userName}/reset",
            summary: "Makes a link for somebody who lost password and recovery code, or her invitation.",
            access: .owner, status: .created, answer: "Link",
            refusals: [.like(.personUnknown(.example)), .like(.tooManyLinks)]
        ) { call in
            let caller = try call.signedIn()
            let fresh = try await call.store.reset(
                call.userName(), inviter: caller.person.userName, random: call.interface.fork())
            return try call.answer(fresh)
        },
    ]

    static let invitations = [
        Endpoint(
            method: .get, path: "/api/invitations", summary: "Links nobody has used yet, newest first.",
            access: .owner, status: .ok, answer: "Invitations"
        ) { call in
            try Answer(
                try await call.store.openLinks().map { link in
                    InvitationAnswer(
                        id: link.id.description, purpose: link.purpose.rawValue,
                        userName: link.userName?.description, fullName: link.fullName?.description,
                        inviter: link.inviter?.description, created: link.created.description,
                        expires: link.expires.description)
                })
        },
        Endpoint(
            method: .post, path: "/api/invitations", summary: "Makes a link for somebody new. Told once.",
            access: .owner, body: "InvitationRequest", status: .created, answer: "Link",
            refusals: [
                .like(.badUserName), .like(.badFullName), .like(.nameTaken(.example)),
                .like(.alreadyInvited(.example)), .like(.tooManyLinks),
            ]
        ) { call in
            let caller = try call.signedIn()
            let message = try call.decode(InvitationRequest.self)
            let fresh = try await call.store.invite(
                try UserName(parsing: message.userName),
                fullName: try message.fullName.map { try FullName(parsing: $0) },
                role: try message.role.map(call.role) ?? .member, inviter: caller.person.userName,
                random: call.interface.fork())
            return try call.answer(fresh)
        },
        Endpoint(
            method: .delete, path: "/api/invitations/{id}", summary: "Makes a link worthless.", access: .owner,
            status: .noContent, refusals: [.like(.linkUnknown)]
        ) { call in
            try await call.store.removeLink(Identifier(try call.parameter("id")))
            return .empty
        },
    ]
}

extension Call {
    fileprivate func role(_ text: String) throws -> Person.Role {
        guard let role = Person.Role(rawValue: text) else { throw Refusal.badJSON("“role” is “owner” or “member”") }
        return role
    }

    fileprivate func answer(_ fresh: FreshLink) throws -> Answer {
        try Answer(
            LinkAnswer(
                id: fresh.link.id.description, url: fresh.url(publicURL: configuration.publicURL),
                userName: fresh.link.userName?.description ?? "", expires: fresh.link.expires.description))
    }
}
