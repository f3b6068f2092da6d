// swift-tools-version: 6.2
import PackageDescription

/// The target graph is drawn in `Sources/Selector/Selector.docc/Architecture.md`; a clean build
/// with `--explicit-target-dependency-import-check error` fails on an import that is not drawn.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let trees = Target.Dependency.product(name: "HashTreeCollections", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let niocore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioposix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let niohttp = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let niowebsocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let niotls = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let niossl = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let http = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
  name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdHTTP2 = Target.Dependency.product(
  name: "HummingbirdHTTP2", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

let package = Package(
  name: "higgins",
  products: [
    .executable(name: "higgins", targets: ["SelectorApp"]),
    .executable(name: "higginsd", targets: ["DaemonApp"]),
    .executable(name: "higgins-bench", targets: ["Benchmarks"]),
    .executable(name: "higgins-chaos", targets: ["Chaos"]),
    .executable(name: "higgins-simulate", targets: ["Simulation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
  ],
  targets: [
    // What crosses the network.
    .target(name: "Wire", swiftSettings: settings),
    // What keeps a process's memory to itself.
    .target(name: "CProcess"),

    // The client.
    .systemLibrary(
      name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .target(
      name: "CNcurses",
      cSettings: [.define("_GNU_SOURCE"), .define("NCURSES_WIDECHAR", to: "1")],
      linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
    .target(name: "Vault", dependencies: ["Wire", "CSodium", crypto], swiftSettings: settings),
    .target(name: "Sync", dependencies: ["Vault", "Wire", trees], swiftSettings: settings),
    .target(name: "SettingsFiles", dependencies: [toml], swiftSettings: settings),
    .target(
      name: "Selector", dependencies: ["SettingsFiles", "Sync", "Vault", "Wire", toml],
      swiftSettings: settings),
    .target(
      name: "Terminal", dependencies: ["Selector", "CNcurses"], swiftSettings: settings),
    .target(
      name: "Storage", dependencies: ["Sync", "Vault", "Wire", grdb], swiftSettings: settings),
    .target(
      name: "Transport",
      dependencies: [
        "Sync", "Vault", "Wire", niocore, nioposix, niohttp, niotls, niowebsocket, niossl, http,
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "SelectorApp",
      dependencies: [
        "Terminal", "Storage", "Transport", "Selector", "Sync", "Vault", "Wire", "CProcess",
        arguments,
      ],
      swiftSettings: settings),

    // The servers.
    .target(name: "Access", dependencies: ["Wire", jwt], swiftSettings: settings),
    .target(
      name: "AttributeServer",
      dependencies: [
        "Wire", "Access", hummingbird, hummingbirdCore, hummingbirdTLS, grdb, sqlite, crypto, http,
        logging,
        lifecycle, niocore, niohttp, niossl,
      ],
      swiftSettings: settings),
    .target(
      name: "PushServer",
      dependencies: [
        "Wire", "Access", niocore, nioposix, niohttp, niossl, crypto, logging, metrics, grdb,
        http, jwt,
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "DaemonApp",
      dependencies: [
        "AttributeServer", "PushServer", "Access", "SettingsFiles", "Wire", "CProcess", arguments,
        crypto, logging, lifecycle, niocore, niossl, toml,
      ],
      exclude: ["Service"], swiftSettings: settings),

    // Tests.
    .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: settings),
    .testTarget(
      name: "VaultTests", dependencies: ["Vault", "Wire", "CSodium", crypto],
      exclude: ["MustFail"], resources: [.copy("Golden")],
      swiftSettings: settings),
    .testTarget(
      name: "SyncTests", dependencies: ["Sync", "Vault", "Wire"], exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(
      name: "StorageTests", dependencies: ["Storage", "Sync", "Vault", "Wire", grdb],
      exclude: ["Fixtures"], swiftSettings: settings),
    .testTarget(
      name: "TransportTests",
      dependencies: [
        "Transport", "PushServer", "Access", "Sync", "Wire", niocore, nioposix, niohttp,
        niowebsocket, niossl, logging,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SelectorScreenTests", dependencies: ["Selector"], swiftSettings: settings),
    .testTarget(
      name: "SelectorTests", dependencies: ["Selector", "Sync", "Vault", "Wire"],
      exclude: ["Snapshots"], swiftSettings: settings),
    .testTarget(
      name: "TerminalTests", dependencies: ["Terminal", "Selector", "CNcurses"],
      swiftSettings: settings),
    .testTarget(
      name: "SelectorAppTests",
      dependencies: [
        "SelectorApp", "Selector", "Storage", "Sync", "Terminal", "Transport", "Vault", "Wire",
        arguments,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "AccessTests", dependencies: ["Access", "Wire", jwt], swiftSettings: settings),
    .testTarget(
      name: "AttributeServerTests",
      dependencies: [
        "AttributeServer", "Access", "Wire", hummingbird, hummingbirdTesting, grdb, crypto, logging,
        niocore, niohttp,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "PushServerTests",
      dependencies: [
        "PushServer", "Access", "Wire", niocore, nioposix, crypto, logging, metrics,
        hummingbird, hummingbirdCore, hummingbirdHTTP2, jwt, niossl, niohttp,
      ],
      exclude: ["Receiver"], swiftSettings: settings),
    .testTarget(
      name: "DaemonAppTests",
      dependencies: ["DaemonApp", "AttributeServer", "PushServer", arguments, grdb, logging],
      swiftSettings: settings),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulation", "Sync", "Vault", "Wire"],
      swiftSettings: settings),
    .testTarget(
      name: "HostileTests",
      dependencies: [
        "SelectorApp", "Storage", "Sync", "Transport", "Vault", "Wire", "AttributeServer",
        arguments, hummingbird, hummingbirdCore, hummingbirdTesting, logging,
      ],
      swiftSettings: settings),
    .testTarget(name: "TidyTests", swiftSettings: settings),
    .testTarget(
      name: "EndToEndTests", dependencies: ["SelectorApp", "DaemonApp"], swiftSettings: settings),
    // The C library's, which Swift's module of it leaves out.
    .systemLibrary(name: "CLinux", path: "Tests/CLinux"),
    .executableTarget(
      name: "Benchmarks",
      dependencies: ["Access", "CLinux", "Selector", "Sync", "Vault", "Wire", arguments],
      path: "Tests/Benchmarks",
      swiftSettings: settings),
    .executableTarget(
      name: "Simulation",
      dependencies: [
        "Sync", "Vault", "Wire", "AttributeServer", "PushServer", "Access", arguments,
      ],
      path: "Tests/Simulation",
      swiftSettings: settings),
    .executableTarget(name: "Chaos", path: "Tests/Chaos", swiftSettings: settings),
  ]
)
