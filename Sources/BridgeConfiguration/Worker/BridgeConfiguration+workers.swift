import BridgeAccess

/// What each worker is told.
extension BridgeConfiguration {
    package func frontConfiguration(_ facts: RuntimeFacts) -> FrontConfiguration {
        FrontConfiguration(
            sessionSocket: facts.sessionSocket,
            mcpPath: self.settings.mcpPath,
            publicName: self.settings.serverName,
            version: facts.version,
            hosts: self.settings.hosts,
            requireToken: self.settings.tokenRule,
            tokenRate: self.settings.tokenRate?.description,
            origins: self.settings.origins,
            trustedProxies: self.settings.trustedProxies,
            publicURL: self.settings.publicURL,
            limits: self.settings.limits,
            peers: self.settings.peers.users,
            otherPeers: self.settings.peers.others,
            serviceUID: facts.serviceUID,
            isOpenOnLoopback: facts.isOpenOnLoopback,
            keepAliveInterval: self.settings.keepAliveInterval,
            chatStreams: self.settings.chat.streams,
            chatTimeout: self.settings.chat.timeout,
            database: facts.statePaths.database,
            tokenKey: facts.tokenKey,
            audit: self.settings.audit,
            logLevel: self.settings.log.level
        )
    }

    package func sessionConfiguration(_ facts: RuntimeFacts) -> SessionConfiguration {
        SessionConfiguration(
            upstreams: self.upstreams.map { Self.route(to: $0, facts) },
            failed: self.failed.map { FailedServer($0) },
            separator: self.settings.separator,
            names: self.settings.names,
            safeNamesFor: self.settings.safeNamesFor,
            listWait: self.settings.listWait,
            pageSize: self.settings.pageSize,
            toolCachePath: facts.statePaths.toolCache,
            sessionJournalPath: facts.statePaths.sessionJournal,
            sealingKey: facts.sealingKey,
            sessionLifetime: self.settings.sessionLifetime,
            idleMemory: self.settings.idleMemory,
            resultRetention: self.settings.resultRetention,
            maximumInFlight: self.settings.maximumInFlight,
            workerBytes: self.settings.workerBytes,
            logLevel: self.settings.log.level,
            serverName: self.settings.serverName,
            serverVersion: facts.version,
            instructions: self.settings.instructions ?? Self.standardInstructions,
            chat: self.settings.chat
        )
    }

    /// What clients are told where the operator says nothing.
    private static let standardInstructions =
        "mcp-bridge serves the tools of several MCP servers. A tool's name begins with the name of its server; "
        + "when a server is down, calls of its tools say so and the others go on."

    /// What the worker of a remote server is told, where there is no service.
    package func upstreamConfiguration(for entry: UpstreamEntry, version: String) -> UpstreamConfiguration {
        UpstreamConfiguration(
            name: entry.name, transport: Self.transport(entry.target, environment: [:]), timeouts: entry.timeouts,
            roots: entry.roots, version: version)
    }

    package func upstreamConfiguration(for entry: UpstreamEntry, _ facts: RuntimeFacts) -> UpstreamConfiguration {
        UpstreamConfiguration(
            name: entry.name,
            transport: Self.transport(entry.target, environment: facts.environment),
            oauth: self.oauth(of: entry, facts),
            timeouts: entry.timeouts,
            pingInterval: self.settings.pingInterval,
            refreshInterval: self.settings.refreshInterval,
            start: entry.start,
            idleStop: entry.idleStop,
            share: entry.share,
            lanes: entry.lanes,
            asks: entry.asks,
            roots: entry.roots,
            limits: entry.limits,
            reconnect: self.settings.reconnect,
            originalNoFileLimit: facts.originalNoFileLimit,
            cgroup: facts.cgroup(of: entry),
            workerBytes: self.settings.workerBytes,
            logLevel: self.settings.log.level,
            version: facts.version
        )
    }

    private static func route(to entry: UpstreamEntry, _ facts: RuntimeFacts) -> UpstreamRoute {
        UpstreamRoute(
            name: entry.name,
            socket: facts.socket(of: entry),
            program: entry.target.fingerprint,
            prefix: entry.prefix,
            tools: entry.tools,
            prompts: entry.prompts,
            resources: entry.resources,
            callTimeout: entry.timeouts.call,
            toolTimeouts: entry.timeouts.tools,
            questionTimeout: entry.timeouts.question,
            retry: entry.retry,
            share: entry.share
        )
    }

    private static func transport(_ target: UpstreamTarget, environment: [String: String]) -> TransportSettings {
        switch target {
        case .stdio(let program):
            .stdio(Self.launch(program, environment: environment))
        case .remote(let endpoint):
            .http(Self.remote(endpoint))
        }
    }

    private static func remote(_ endpoint: UpstreamTarget.Endpoint) -> RemoteTarget {
        var target = RemoteTarget(
            url: endpoint.url.secret, headers: endpoint.headers.mapValues(\.secret), dialect: endpoint.dialect)
        target.proxy = endpoint.proxy
        target.authorities = endpoint.authorities?.value
        target.trustsAnybody = endpoint.trustsAnybody
        return target
    }

    private static func launch(_ program: UpstreamTarget.Program, environment: [String: String]) -> StdioLaunch {
        var launch = StdioLaunch(
            command: program.command.value,
            arguments: program.arguments.map(\.value),
            environment: ChildEnvironment.make(
                service: environment, entry: program.environment, removing: program.removedVariables
            ),
            workingDirectory: program.workingDirectory?.value ?? program.standardDirectory,
            encodingErrors: program.encodingErrors
        )
        if program.command.isMasked { launch.shownCommand = program.command.masked }
        if let directory = program.workingDirectory, directory.isMasked {
            launch.shownWorkingDirectory = directory.masked
        }
        return launch
    }
}
