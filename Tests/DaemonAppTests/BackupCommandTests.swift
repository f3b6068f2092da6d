import ArgumentParser
import Foundation
import GRDB
import Logging
import Testing

@testable import AttributeServer
@testable import DaemonApp

/// The commands on a database at rest: what they leave, and with which code they end.
struct BackupCommandTests {
  private let folder: String
  private var data: String { folder + "/data" }
  private var file: String { folder + "/backup.sqlite" }

  init() throws {
    folder = NSTemporaryDirectory() + "higginsd-commands-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let held = try DataFolder(path: data)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    try ServerDatabase(path: held.database, logger: logger).close()
    withExtendedLifetime(held) {}
  }

  /// The exit code of a command; 0 when it throws nothing.
  private func code(_ arguments: String...) async throws -> Int32 {
    do {
      var command = try Higginsd.parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return 0
    } catch let error as DaemonError {
      return error.exitCode
    } catch {
      return Higginsd.exitCode(for: error).rawValue
    }
  }

  private func damage(_ path: String) throws {
    let database = try DatabaseQueue(path: path)
    try database.write { try $0.execute(sql: "DELETE FROM instance") }
    try database.close()
  }

  @Test func aBackupIsMadeCheckedAndRestored() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try await code("backup", file, "--data", data) == 0)
    #expect(try await code("check", file) == 0)
    #expect(try await code("check", "--data", data) == 0)
    let target = folder + "/new"
    #expect(try await code("restore", file, "--data", target) == 0)
    #expect(try await code("check", "--data", target) == 0)
    #expect(try await code("restore", file, "--data", target) == 1, "nothing is written over")
    #expect(try await code("backup", file, "--data", data) == 1, "nothing is written over")
  }

  @Test func faultsEndWithSixAndWhatIsMissingWithOne() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try await code("backup", file, "--data", data) == 0)
    try damage(file)
    #expect(try await code("check", file) == 6)
    #expect(try await code("restore", file, "--data", folder + "/new") == 6)
    try damage(data + "/attributes.sqlite")
    #expect(try await code("backup", folder + "/second", "--data", data) == 6)
    #expect(FileManager.default.fileExists(atPath: folder + "/second.partial"))
    #expect(try await code("check", folder + "/nothing") == 1)
    #expect(try await code("backup", folder + "/third", "--data", folder + "/nothing") == 1)
    #expect(!FileManager.default.fileExists(atPath: folder + "/nothing"), "nothing is made up")
    #expect(try await code("check") == 64)
    #expect(try await code("backup") == 64)
  }
}
