// A QuickFIX peer for the tests and the benchmark: an acceptor that answers orders, or an initiator that
// is told what to do on its standard input. It says what happens on its standard output.
//
//   peer acceptor PORT SENDER TARGET STORE_DIR|memory
//   peer initiator PORT SENDER TARGET STORE_DIR|memory
//
// Commands, one a line: "order ID", "send TYPE TAG=VALUE|TAG=VALUE", "logout", "logon", "nextout N", "quit".
#include <quickfix/Application.h>
#include <quickfix/FileStore.h>
#include <quickfix/Message.h>
#include <quickfix/MessageStore.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>
#include <quickfix/SocketInitiator.h>
#include <quickfix/ThreadedSocketAcceptor.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>

namespace {

std::mutex output;

void say(const std::string& text) {
    std::lock_guard<std::mutex> lock(output);
    std::cout << text << std::endl;
}

std::string field(const FIX::FieldMap& map, int tag) { return map.isSetField(tag) ? map.getField(tag) : std::string(); }

class Peer : public FIX::Application {
public:
    explicit Peer(bool quiet) : quiet_(quiet) {}

    void onCreate(const FIX::SessionID&) override {}
    void onLogon(const FIX::SessionID&) override { say("logon"); }
    void onLogout(const FIX::SessionID&) override { say("logout"); }
    void toAdmin(FIX::Message&, const FIX::SessionID&) override {}
    void toApp(FIX::Message&, const FIX::SessionID&) throw(FIX::DoNotSend) override {}

    void fromAdmin(const FIX::Message& message, const FIX::SessionID&)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::RejectLogon) override {
        const std::string type = field(message.getHeader(), 35);
        if (type == "3" || type == "5" || type == "2" || type == "4") say("admin " + type + " " + field(message, 58));
    }

    void fromApp(const FIX::Message& message, const FIX::SessionID& session)
        throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::UnsupportedMessageType) override {
        const std::string type = field(message.getHeader(), 35);
        if (!quiet_) say("received " + type + " " + field(message, 11) + " " + field(message.getHeader(), 43) + " " + field(message, 150) + "/" + field(message, 39));
        if (type == "D") report(message, session);
    }

private:
    void report(const FIX::Message& order, const FIX::SessionID& session) {
        FIX::Message report;
        report.getHeader().setField(35, "8");
        const std::string id = std::to_string(++count_);
        report.setField(6, "0");
        report.setField(11, field(order, 11));
        report.setField(14, "0");
        report.setField(17, "E" + id);
        report.setField(37, "O" + id);
        report.setField(38, field(order, 38));
        report.setField(39, "0");
        report.setField(54, field(order, 54));
        report.setField(55, field(order, 55));
        report.setField(150, "0");
        report.setField(151, field(order, 38));
        FIX::Session::sendToTarget(report, session);
    }

    bool quiet_;
    unsigned long count_ = 0;
};

void order(const FIX::SessionID& session, const std::string& id) {
    FIX::Message order;
    order.getHeader().setField(35, "D");
    order.setField(11, id);
    order.setField(21, "1");
    order.setField(38, "100");
    order.setField(40, "2");
    order.setField(44, "10.25");
    order.setField(54, "1");
    order.setField(55, "IBM");
    order.setField(60, "20261127-10:00:00.000");
    FIX::Session::sendToTarget(order, session);
}

void send(const FIX::SessionID& session, const std::string& type, const std::string& fields) {
    FIX::Message message;
    message.getHeader().setField(35, type);
    std::istringstream all(fields);
    std::string one;
    while (std::getline(all, one, '|')) {
        const std::string::size_type at = one.find('=');
        message.setField(std::stoi(one.substr(0, at)), one.substr(at + 1));
    }
    FIX::Session::sendToTarget(message, session);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        std::cerr << "usage: peer acceptor|initiator PORT SENDER TARGET STORE_DIR|memory [quiet]" << std::endl;
        return 2;
    }
    const std::string role = argv[1], port = argv[2], sender = argv[3], target = argv[4], store = argv[5];
    std::stringstream text;
    // With PEER_HOURS=HH:MM:SS-HH:MM:SS (UTC) the session opens and closes at these times of day.
    const char* hours = std::getenv("PEER_HOURS");
    const std::string opens = hours ? std::string(hours).substr(0, 8) : "00:00:00";
    const std::string closes = hours ? std::string(hours).substr(9) : "00:00:00";
    text << "[DEFAULT]\nConnectionType=" << role << "\nUseDataDictionary=N\nNonStopSession=" << (hours ? "N" : "Y") << "\nStartTime=" << opens << "\nEndTime=" << closes << "\n"
         << "SocketNodelay=Y\nReconnectInterval=1\nHeartBtInt=30\nSocketReuseAddress=Y\n"
         << "SocketAcceptPort=" << port << "\nSocketConnectHost=127.0.0.1\nSocketConnectPort=" << port << "\n";
    if (store != "memory") text << "FileStorePath=" << store << "\n";
    text << "[SESSION]\nBeginString=FIX.4.4\nSenderCompID=" << sender << "\nTargetCompID=" << target << "\n";
    try {
        FIX::SessionSettings settings(text);
        const FIX::SessionID session("FIX.4.4", sender, target);
        Peer peer(argc > 6);
        std::unique_ptr<FIX::MessageStoreFactory> stores;
        if (store == "memory") stores.reset(new FIX::MemoryStoreFactory());
        else stores.reset(new FIX::FileStoreFactory(settings));
        std::unique_ptr<FIX::Acceptor> acceptor;
        std::unique_ptr<FIX::Initiator> initiator;
        if (role == "acceptor") {
            acceptor.reset(new FIX::ThreadedSocketAcceptor(peer, *stores, settings));
            acceptor->start();
        } else {
            initiator.reset(new FIX::SocketInitiator(peer, *stores, settings));
            initiator->start();
        }
        say("ready");
        std::string line;
        while (std::getline(std::cin, line) && line != "quit") {
            std::istringstream words(line);
            std::string verb, rest;
            words >> verb >> rest;
            FIX::Session* own = FIX::Session::lookupSession(session);
            if (verb == "order") order(session, rest);
            if (verb == "send") {
                std::string fields;
                words >> fields;
                send(session, rest, fields);
            }
            if (verb == "logout" && own) own->logout();
            if (verb == "logon" && own) own->logon();
            if (verb == "nextout" && own) own->setNextSenderMsgSeqNum(std::stoi(rest));
        }
        if (acceptor) acceptor->stop(true);
        if (initiator) initiator->stop(true);
    } catch (const std::exception& error) {
        std::cerr << "peer: " << error.what() << std::endl;
        return 1;
    }
    return 0;
}
