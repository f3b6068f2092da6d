/// Which target may import which: the picture in the article Architecture as a table.
struct TargetGraph {
  struct Row {
    let own: Set<String>
    let others: Set<String>

    init(_ own: Set<String>, _ others: Set<String> = []) {
      self.own = own
      self.others = others
    }
  }

  /// Comes with the toolchain; values only.
  static let values: Set<String> = ["Foundation", "FoundationEssentials", "Synchronization"]
  /// Comes with the toolchain and does I/O, threads or time.
  static let system: Set<String> = ["Dispatch", "Glibc", "_Concurrency"]
  /// Targets that decide: time and chance are passed in.
  static let pure: Set<String> = ["Wire", "Vault", "Sync", "SettingsFiles", "Selector"]
  static let servers: Set<String> = ["Access", "AttributeServer", "PushServer", "DaemonApp"]
  static let edges: Set<String> = ["Terminal", "Storage", "Transport"]

  static let rows: [String: Row] = [
    "Wire": Row([]),
    "CProcess": Row([]),
    "CSodium": Row([]),
    "CNcurses": Row([]),
    "Vault": Row(["Wire", "CSodium"], ["Crypto"]),
    "Sync": Row(["Vault", "Wire"], ["HashTreeCollections"]),
    "SettingsFiles": Row([], ["TOMLKit"]),
    "Selector": Row(["SettingsFiles", "Sync", "Vault", "Wire"], ["TOMLKit"]),
    "Terminal": Row(["Selector", "CNcurses"]),
    "Storage": Row(["Sync", "Vault", "Wire"], ["GRDB"]),
    "Transport": Row(
      ["Sync", "Vault", "Wire"],
      [
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOTLS", "NIOWebSocket", "NIOSSL", "AsyncHTTPClient",
      ]),
    "SelectorApp": Row(
      ["Terminal", "Storage", "Transport", "Selector", "Sync", "Vault", "Wire", "CProcess"],
      ["ArgumentParser"]),
    "Access": Row(["Wire"], ["JWTKit"]),
    "AttributeServer": Row(
      ["Wire", "Access"],
      [
        "Hummingbird", "GRDB", "GRDBSQLite", "Crypto", "AsyncHTTPClient", "Logging",
        "ServiceLifecycle", "NIOCore", "NIOHTTP1", "NIOSSL", "HummingbirdCore",
        "HummingbirdTLS",
      ]),
    "PushServer": Row(
      ["Wire", "Access"],
      [
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "Crypto", "Logging", "CoreMetrics", "GRDB",
        "AsyncHTTPClient", "JWTKit",
      ]),
    "DaemonApp": Row(
      ["AttributeServer", "PushServer", "Access", "SettingsFiles", "Wire", "CProcess"],
      [
        "ArgumentParser", "Crypto", "Logging", "NIOCore", "NIOSSL", "ServiceLifecycle", "TOMLKit",
      ]),
  ]

  /// All that a target reaches, however far.
  static func reach(of target: String) -> Set<String> {
    var reached: Set<String> = []
    var open = [target]
    while let next = open.popLast() {
      for own in rows[next]?.own ?? [] where reached.insert(own).inserted { open.append(own) }
    }
    return reached
  }

  /// What of `imports` the target may not import.
  static func offences(_ imports: [String], of target: String) -> Set<String> {
    guard let row = rows[target] else { return Set(imports) }
    let toolchain = pure.contains(target) ? values : values.union(system)
    return Set(imports).subtracting(row.own).subtracting(row.others).subtracting(toolchain)
  }
}
