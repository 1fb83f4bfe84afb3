import "./styles/desk.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { dress } from "./shell/shell";

dress();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");
createRoot(root).render(<App />);
