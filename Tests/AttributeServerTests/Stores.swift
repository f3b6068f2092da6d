@testable import AttributeServer
import Logging

func quietLogger() -> Logger {
  Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

func openDatabase(_ folder: TemporaryFolder) throws -> ServerDatabase {
  try ServerDatabase(path: folder.path + "/attributes.sqlite", logger: quietLogger())
}

func openStore(_ folder: TemporaryFolder) throws -> SQLiteLedgerStore {
  try openDatabase(folder).store
}
