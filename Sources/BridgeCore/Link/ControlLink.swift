import NIOCore

/// What the supervisor asks of a worker, on its control link.
package enum WorkerRequest: LinkHeader, Equatable {
    /// To take a configuration: the payload. Answered with ``WorkerAnswer``.
    case configure
    /// To take nothing new and finish what is under way, for at most so many milliseconds.
    case drain(milliseconds: Int)
    /// What memory it uses.
    case memory
    /// What an administrator asks about tokens and the audit: the payload. Only the front has them. Answered with
    /// ``ControlAnswer``.
    case access
    /// What is asked of an upstream's OAuth. Only its worker has it. Answered with ``ControlAnswer`` and an ``OAuthAnswer``.
    case oauth(OAuthRequest)
    /// To take requests on a port of this machine, or to take none there any more: browsers come back to it at sign-ins. Only
    /// the front does. The listening socket has been passed to it before it is asked.
    case receive(port: Int, isOpen: Bool)

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .configure: header.member("op", "configure")
        case .drain(let milliseconds):
            header.member("op", "drain")
            header.member("ms", milliseconds)
        case .memory: header.member("op", "memory")
        case .access: header.member("op", "access")
        case .receive(let port, let isOpen):
            header.member("op", "receive")
            header.member("port", port)
            header.flag("open", isOpen)
        case .oauth(let request):
            header.member("op", "oauth")
            request.write(to: &header)
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("op") {
        case "configure": self = .configure
        case "drain": self = .drain(milliseconds: header.int("ms") ?? 0)
        case "memory": self = .memory
        case "access": self = .access
        case "receive": self = .receive(port: header.int("port") ?? 0, isOpen: header.flag("open"))
        case "oauth":
            guard let request = OAuthRequest(reading: &header) else { return nil }
            self = .oauth(request)
        default: return nil
        }
    }
}

/// How a worker answers such a request.
package struct WorkerAnswer: LinkHeader, Equatable {
    /// Why it was not done.
    package var refusal: String?

    package init(refusal: String? = nil) { self.refusal = refusal }

    package static let done = WorkerAnswer().text

    package func write(to header: inout HeaderWriter) { header.member("error", self.refusal) }
    package init?(reading header: inout HeaderReader) { self.refusal = header.string("error") }
}

/// What a worker tells the supervisor by itself.
package enum WorkerReport: String, LinkHeader {
    /// How it is doing: the payload.
    case status

    package func write(to header: inout HeaderWriter) { header.member("op", self.rawValue) }
    package init?(reading header: inout HeaderReader) {
        guard let report = header.string("op").flatMap(Self.init(rawValue:)) else { return nil }
        self = report
    }
}

/// What is asked of the supervisor: over the control socket, by the front on behalf of its clients, and by the session
/// worker, which begins sign-ins for the owner's.
package enum ControlRequest: LinkHeader, Equatable {
    case health
    case memory
    /// - Parameter fresh: with the memory that processes use at this moment.
    case status(fresh: Bool)
    case servers
    /// To add the servers in the payload.
    case addServers
    case removeServer(name: String)
    case reload
    /// What an administrator asks about tokens and the audit: the payload, which goes to the front as it is.
    case access
    /// What is asked of the OAuth of one upstream. Of a redirect its `state` says which (``SignInState``).
    case oauth(name: String, OAuthRequest)

    package func write(to header: inout HeaderWriter) {
        header.member("op", self.operation)
        switch self {
        case .status(let fresh): header.flag("fresh", fresh)
        case .removeServer(let name): header.member("name", name)
        case .oauth(let name, let request):
            header.member("name", name)
            request.write(to: &header)
        default: break
        }
    }

    private var operation: String {
        switch self {
        case .health: "health"
        case .memory: "memory"
        case .status: "status"
        case .servers: "servers"
        case .addServers: "servers.add"
        case .removeServer: "servers.remove"
        case .reload: "reload"
        case .access: "access"
        case .oauth: "oauth"
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("op") {
        case "health": self = .health
        case "memory": self = .memory
        case "status": self = .status(fresh: header.flag("fresh"))
        case "servers": self = .servers
        case "servers.add": self = .addServers
        case "servers.remove": self = .removeServer(name: header.string("name") ?? "")
        case "reload": self = .reload
        case "access": self = .access
        case "oauth":
            let name = header.string("name") ?? ""
            guard let request = OAuthRequest(reading: &header) else { return nil }
            self = .oauth(name: name, request)
        default: return nil
        }
    }

    /// What the front may ask. The session worker may begin a sign-in and wait for its end; all is for the control
    /// socket.
    package var isForFront: Bool {
        switch self {
        case .health, .memory, .servers, .addServers, .removeServer, .oauth(_, .redirect): true
        case .status, .reload, .access, .oauth: false
        }
    }
}

/// How the supervisor answers.
package struct ControlAnswer: LinkHeader, Equatable {
    /// An HTTP status.
    package var status: Int
    /// For people, where the body is for programs.
    package var text: String?

    package init(_ status: Int, text: String? = nil) {
        self.status = status
        self.text = text
    }

    package func write(to header: inout HeaderWriter) {
        header.member("st", self.status)
        header.member("text", self.text)
    }

    package init?(reading header: inout HeaderReader) {
        self.status = header.int("st") ?? 200
        self.text = header.string("text")
    }
}
