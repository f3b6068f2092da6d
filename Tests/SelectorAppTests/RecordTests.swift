import Sync
import Testing
import Wire

@testable import SelectorApp

/// The JSON that scripts read, compared whole.
@Suite struct RecordTests {
  private let context = Make.context(
    1, "github.example",
    [
      Make.attribute(2, "username", .username, text: "ann"),
      Make.attribute(
        3, "password", .password, text: "new",
        heads: [Make.value(4, "new"), Make.value(5, "old", device: 2)]),
    ])

  @Test func list() throws {
    #expect(
      try Records.line(ListRecord(context)) == """
        {"attributes":2,"id":"\(Ids.text(1))","kind":"account","name":"github.example",\
        "pinned":false,"tags":[],"updatedAt":3000}
        """)
  }

  @Test func showLeavesConcealedValuesOut() throws {
    let by = "\"updatedAt\":2000,\"updatedBy\":\"\(Ids.text(1))\""
    #expect(
      try Records.line(ShowRecord(context, reveals: false)) == """
        {"attributes":[{"concealed":false,"conflict":false,"id":"\(Ids.text(2))",\
        "label":"username","pending":false,"type":"username",\(by),"value":"ann"},\
        {"concealed":true,"conflict":true,"id":"\(Ids.text(3))","label":"password",\
        "pending":false,"type":"password",\(by)}],"id":"\(Ids.text(1))","kind":"account",\
        "name":"github.example"}
        """)
    #expect(try Records.line(ShowRecord(context, reveals: true)).contains("\"value\":\"new\""))
  }

  @Test func watch() throws {
    let change = Change(
      kind: .set, context: Ids.make(1), contextName: "github.example", attribute: Ids.make(3),
      label: "password", device: Ids.make(2), at: 7)
    #expect(
      try Records.line(WatchRecord(change: change)) == """
        {"at":7,"attribute":"\(Ids.text(3))","context":"\(Ids.text(1))",\
        "contextName":"github.example","device":"\(Ids.text(2))","kind":"set","label":"password"}
        """)
  }

  @Test func aNewContextIsASetWithoutAnAttribute() throws {
    let change = Change(
      kind: .added, context: Ids.make(1), contextName: "a", device: Ids.make(2), at: 7)
    #expect(
      try Records.line(WatchRecord(change: change)) == """
        {"at":7,"attribute":null,"context":"\(Ids.text(1))","contextName":"a",\
        "device":"\(Ids.text(2))","kind":"set","label":null}
        """)
  }

  @Test func history() throws {
    let attribute = context.attributes[1]
    func record(_ value: ValueRecord, reveals: Bool) -> HistoryRecord {
      HistoryRecord(value, attribute: attribute.id, label: attribute.label, reveals: reveals)
    }
    #expect(
      try Records.line(record(Make.value(4, "old"), reveals: false)) == """
        {"at":1000,"attribute":"\(Ids.text(3))","device":"\(Ids.text(1))","head":true,\
        "id":"\(Ids.text(4))","label":"password","removed":false}
        """)
    #expect(
      try Records.line(record(Make.value(4, "old"), reveals: true)).contains("\"value\":\"old\""))
    #expect(
      try Records.line(record(Make.value(4, nil), reveals: true)).contains("\"removed\":true"))
    let name = HistoryRecord(Make.value(4, "bank"), attribute: nil, label: "name", reveals: true)
    #expect(try Records.line(name).contains("\"attribute\":null"))
  }

  @Test func conflicts() throws {
    let named = Make.context(9, "bank", names: [Make.value(6, "bank"), Make.value(7, "my bank")])
    let lines = try ConflictRecord.all(in: [context, named]).map { try Records.line($0) }
    #expect(
      lines == [
        """
        {"attribute":"\(Ids.text(3))","context":"\(Ids.text(1))","contextName":"github.example",\
        "deletedOn":null,"label":"password","subject":"value","values":[{"at":1000,"device":"\(Ids.text(1))",\
        "id":"\(Ids.text(4))","removed":false},{"at":1000,"device":"\(Ids.text(2))",\
        "id":"\(Ids.text(5))","removed":false}]}
        """,
        """
        {"attribute":null,"context":"\(Ids.text(9))","contextName":"bank",\
        "deletedOn":null,"label":null,"subject":"name",\
        "values":[{"at":1000,"device":"\(Ids.text(1))",\
        "id":"\(Ids.text(6))","removed":false,"text":"bank"},\
        {"at":1000,"device":"\(Ids.text(1))",\
        "id":"\(Ids.text(7))","removed":false,"text":"my bank"}]}
        """,
      ])
  }

  private static let alarm = Notice(
    code: "fork", text: "Two commits stand at one place.", at: 5, isAlarm: true)

  private var status: SyncStatus {
    SyncStatus(
      state: .alarm, waiting: 2, conflicts: 1,
      alarms: [SyncStatus.Alarm(code: "fork", text: "Two commits stand at one place.")],
      push: .connected, pushTransport: "events", pushSince: 5,
      peers: [
        SyncStatus.Peer(
          id: Ids.make(1), name: "home pc", platform: "linux", isThisDevice: true, isOnline: true,
          lastSeen: nil, behind: 0),
        SyncStatus.Peer(
          id: Ids.make(2), name: "mobile", platform: "linux", isThisDevice: false,
          isOnline: false, lastSeen: 9, behind: 3),
      ], pushRefusals: [RefusedTransport(transport: "websocket", reason: "answered 400")])
  }

  @Test func aDeviceThatNeverSaidWhatItHoldsIsSaidToBeThat() {
    var status = status
    let never = SyncStatus.Peer(
      id: Ids.make(3), name: "work pc", platform: "linux", isThisDevice: false, isOnline: false,
      lastSeen: nil, behind: nil)
    status.peers.append(never)
    let lines = StatusRecord.devices(of: status).split(separator: "\n")
    #expect(lines.filter { $0.contains("3 changes behind") }.count == 1)
    #expect(lines.last?.contains("has not said what it holds") == true)
  }

  @Test func statusRecord() throws {
    let record = StatusRecord(
      account: "ann", device: "home pc", server: "http://127.0.0.1:7480", status: status,
      alarms: [Self.alarm], isReplacing: true,
      progress: SyncProgress(done: 3, total: 12, what: "snapshot"))
    #expect(
      try Records.line(record) == """
        {"account":"ann","alarms":[{"at":5,"code":"fork","text":"Two commits stand at one place."}],\
        "conflicts":1,"device":"home pc","devices":[{"behind":0,"current":true,\
        "id":"\(Ids.text(1))","lastSeen":null,"name":"home pc","online":true,\
        "platform":"linux"},{"behind":3,"current":false,"id":"\(Ids.text(2))","lastSeen":9,\
        "name":"mobile","online":false,"platform":"linux"}],\
        "progress":{"done":3,"total":12,"what":"snapshot"},"push":{"refused":[{"reason":"answered 400",\
        "transport":"websocket"}],"since":5,"state":"connected","transport":"events"},"replacing":true,\
        "server":"http://127.0.0.1:7480","state":"alarm","uncertain":false,"waiting":2}
        """)
  }

  @Test func aLockedStatusHasNoAccountName() throws {
    let record = StatusRecord(
      account: nil, device: "d", server: "s", status: SyncStatus(state: .locked))
    #expect(
      try Records.line(record) == """
        {"account":null,"alarms":[],"conflicts":0,"device":"d","devices":[],\
        "progress":null,"push":{"refused":[],"since":null,"state":"down","transport":null},"replacing":false,\
        "server":"s","state":"locked","uncertain":false,"waiting":0}
        """)
  }

  @Test func statusForAPersonNamesAlarmsAndDevices() {
    let text = StatusRecord(
      account: "ann", device: "home pc", server: "s", status: status, alarms: [Self.alarm],
      isReplacing: true, isUncertain: true,
      progress: SyncProgress(done: 3, total: 12, what: "snapshot")
    ).text
    #expect(text.contains("progress   snapshot 3 of 12"))
    #expect(text.contains("takes a new one"))
    #expect(text.contains("salvaged after damage"))
    #expect(text.contains("sync       alarm, 2 changes waiting"))
    #expect(text.contains("  Two commits stand at one place. (fork)"))
    #expect(text.contains("*  home pc  linux  this device"))
    #expect(text.contains("   mobile   linux  offline      3 changes behind  seen "))
  }

  @Test func tablesAlignWideAndUnsafeNames() {
    #expect(
      Lines.table([["日本", "x"], ["a\u{1b}[2J", "y"]]) == "日本   x\na␛[2J  y")
  }
}
