"use client";
import { useEffect } from "react";
import { run } from "./run.js";

export default function Page() {
  useEffect(() => {
    globalThis.answer = run();
  }, []);
  return <p>octette</p>;
}
