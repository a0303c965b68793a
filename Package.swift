// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: Swift 6 language mode, warnings are errors, imports carry their access.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "mcp-bridge",
    products: [.executable(name: "mcp-bridge", targets: ["mcp-bridge"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // libsystemd: sd_listen_fds_with_names, sd_is_socket, sd_journal_sendv.
        .systemLibrary(
            name: "CSystemd", path: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        // fork, set up, exec: the async-signal-safe part of starting a process.
        .target(name: "CSpawn", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),

        // Pure: no socket, clock, process or logger.
        .target(
            name: "BridgeCore",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict
        ),
        // Pure: revisions, names, catalogues, sealed sessions.
        .target(
            name: "BridgeMCP",
            dependencies: [
                "BridgeCore",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        // Pure: who may do what: tokens, their scopes and limits, audit rows.
        .target(
            name: "BridgeAccess",
            dependencies: ["BridgeCore", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // Pure: the dialects of model APIs, and MCP sampling.
        .target(
            name: "BridgeChat",
            dependencies: ["BridgeCore", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: strict
        ),
        // Pure: the file, what it means, and the frames that carry it to the workers.
        .target(
            name: "BridgeConfiguration",
            dependencies: [
                "BridgeAccess", "BridgeCore", "BridgeMCP",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        // Pure: an upstream's OAuth: who gives tokens, signing in, refreshing.
        .target(
            name: "BridgeOAuth",
            dependencies: [
                "BridgeConfiguration", "BridgeCore", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        // Frames and exchanges over Unix sockets.
        .target(name: "BridgeLink", dependencies: ["BridgeCore", logging, deque] + nio, swiftSettings: strict),
        // Files read whole and replaced atomically, descriptors read and written to the end.
        .target(
            name: "BridgeFiles", dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        // Tokens, budgets and the audit in SQLite.
        .target(
            name: "BridgeStore",
            dependencies: [
                "BridgeAccess", "BridgeFiles", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        // systemd's protocols, both ends of them.
        .target(name: "BridgeSystemd", dependencies: ["BridgeFiles", "CSystemd"], swiftSettings: strict),
        // Spawn, reap, subtree, cgroup.
        .target(
            name: "BridgeProcess", dependencies: ["BridgeCore", "BridgeFiles", "CSpawn", logging], swiftSettings: strict
        ),
        // HTTP requests on one event loop, and MCP over them.
        .target(
            name: "BridgeHTTPClient",
            dependencies: [
                "BridgeCore", "BridgeMCP",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio,
            swiftSettings: strict
        ),
        // Log handlers and the one logging thread.
        .target(
            name: "BridgeLog",
            dependencies: [
                "BridgeCore", "BridgeFiles", "BridgeSystemd", logging, .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict),

        .target(
            name: "BridgeSupervisor",
            dependencies: [
                "BridgeConfiguration", "BridgeCore", "BridgeFiles", "BridgeLink", "BridgeProcess", "BridgeSystemd",
                logging,
            ] + nio,
            swiftSettings: strict
        ),
        .target(
            name: "BridgeFront",
            dependencies: [
                "BridgeAccess", "BridgeChat", "BridgeConfiguration", "BridgeCore", "BridgeLink", "BridgeMCP", logging,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ] + nio,
            swiftSettings: strict
        ),
        .target(
            name: "BridgeSession",
            dependencies: [
                "BridgeAccess", "BridgeChat", "BridgeConfiguration", "BridgeCore", "BridgeFiles", "BridgeLink",
                "BridgeMCP", logging, deque,
            ]
                + nio,
            swiftSettings: strict
        ),
        .target(
            name: "BridgeUpstream",
            dependencies: [
                "BridgeConfiguration", "BridgeCore", "BridgeFiles", "BridgeHTTPClient", "BridgeLink", "BridgeMCP",
                "BridgeOAuth", "BridgeProcess", logging, .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
            ] + nio,
            swiftSettings: strict
        ),
        .executableTarget(
            name: "mcp-bridge",
            dependencies: [
                "BridgeSupervisor", "BridgeFront", "BridgeSession", "BridgeUpstream", "BridgeLog", "BridgeSystemd",
                "BridgeAccess", "BridgeConfiguration", "BridgeCore", "BridgeFiles", "BridgeHTTPClient", "BridgeLink",
                "BridgeMCP", "BridgeProcess", "BridgeStore", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),

        // The yardstick of Tests/Bench for the front: NIO's HTTP server with nothing behind it.
        .executableTarget(
            name: "BenchBareServer",
            dependencies: [.product(name: "NIOHTTP1", package: "swift-nio")] + nio,
            path: "Tests/Bench/bare",
            swiftSettings: strict
        ),
        // The same for servers over HTTP: async-http-client with nothing before it.
        .executableTarget(
            name: "BenchBareCaller",
            dependencies: [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio,
            path: "Tests/Bench/caller",
            swiftSettings: strict
        ),

        // What tests of several rooms use.
        .target(name: "BridgeTesting", path: "Tests/BridgeTesting", swiftSettings: strict),
        .testTarget(
            name: "BridgeCoreTests",
            dependencies: [
                "BridgeCore", "BridgeTesting",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOTestUtils", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeMCPTests",
            dependencies: [
                "BridgeMCP", "BridgeCore", "BridgeTesting", .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeAccessTests", dependencies: ["BridgeAccess", "BridgeCore"], swiftSettings: strict),
        .testTarget(
            name: "BridgeChatTests",
            dependencies: [
                "BridgeChat", "BridgeCore", "BridgeTesting", .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeConfigurationTests",
            dependencies: [
                "BridgeConfiguration", "BridgeAccess", "BridgeMCP", "BridgeCore",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeOAuthTests",
            dependencies: [
                "BridgeOAuth", "BridgeConfiguration", "BridgeCore", .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeLinkTests",
            dependencies: [
                "BridgeLink", "BridgeCore", "BridgeTesting", logging,
                .product(name: "NIOTestUtils", package: "swift-nio"),
            ]
                + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeStoreTests",
            dependencies: [
                "BridgeStore", "BridgeAccess", "BridgeFiles", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(name: "BridgeFilesTests", dependencies: ["BridgeFiles"], swiftSettings: strict),
        .testTarget(
            name: "BridgeHTTPClientTests",
            dependencies: [
                "BridgeHTTPClient", "BridgeCore", "BridgeMCP", .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(name: "BridgeSystemdTests", dependencies: ["BridgeSystemd"], swiftSettings: strict),
        .testTarget(
            name: "BridgeLogTests",
            dependencies: [
                "BridgeLog", "BridgeCore", "BridgeSystemd", logging, .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BridgeProcessTests", dependencies: ["BridgeProcess", "BridgeCore", "BridgeFiles", logging],
            swiftSettings: strict),
        .testTarget(
            name: "BridgeSupervisorTests",
            dependencies: [
                "BridgeSupervisor", "BridgeFiles", "BridgeProcess", "BridgeSystemd", "BridgeConfiguration", "BridgeMCP",
                "BridgeCore", logging, .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeFrontTests",
            dependencies: [
                "BridgeFront", "BridgeAccess", "BridgeChat", "BridgeConfiguration", "BridgeMCP", "BridgeCore",
                "BridgeLink",
                "BridgeTesting", logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeSessionTests",
            dependencies: [
                "BridgeSession", "BridgeAccess", "BridgeChat", "BridgeConfiguration", "BridgeMCP", "BridgeCore",
                "BridgeFiles", "BridgeLink", "BridgeTesting", logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "BridgeUpstreamTests",
            dependencies: [
                "BridgeUpstream", "BridgeConfiguration", "BridgeHTTPClient", "BridgeMCP", "BridgeCore", "BridgeLink",
                "BridgeOAuth", "BridgeProcess", "BridgeTesting", logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOTestUtils", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "MCPBridgeTests",
            dependencies: [
                "mcp-bridge", "BridgeCore", "BridgeHTTPClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio,
            swiftSettings: strict
        ),
    ]
)
