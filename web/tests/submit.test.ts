// @vitest-environment happy-dom
import { PiniaColada, useQuery } from "@pinia/colada";
import { flushPromises, mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { expect, test } from "vitest";
import { Problem } from "@/api/problem";
import { useSubmit } from "@/composables/useSubmit";
import FormDialog from "@/forms/FormDialog.vue";
import FormField from "@/forms/FormField.vue";
import { useErrors } from "@/forms/useErrors";
import { i18n } from "@/i18n";

/** A node whose answers the test gives one by one. */
class Node {
  readonly heard: string[] = [];
  private answer: [(value: string) => void, (problem: Problem) => void] = [() => undefined, () => undefined];
  readonly ask = (body: string, about: number): Promise<string> => {
    this.heard.push(`${about}: ${body}`);
    return new Promise((agree, refuse) => (this.answer = [agree, refuse]));
  };
  agree = async () => (await flushPromises(), this.answer[0]("made"), await flushPromises());
  refuse = async (problem: Problem) => (await flushPromises(), this.answer[1](problem), await flushPromises());
}

function dialog() {
  const node = new Node();
  const [done, loads] = [[] as string[], { count: 0 }];
  let form!: ReturnType<typeof useSubmit<string, string, number>>;
  mount({
    setup() {
      useQuery({ key: ["things"], query: () => Promise.resolve((loads.count += 1)) });
      form = useSubmit<string, string, number>(node.ask, { refresh: [["things"]], done: (answer, about) => done.push(`${answer} ${about}`) });
      return () => null;
    },
  }, { global: { plugins: [createPinia(), PiniaColada] } });
  form.open(7);
  return { node, form, done, loads };
}

test("a dialog closes when the node has agreed, and asks again for what has changed", async () => {
  const { node, form, done, loads } = dialog();
  await flushPromises();
  form.submit("a name");
  expect([form.isOpen.value, form.busy.value, loads.count]).toEqual([true, true, 1]);
  await node.agree();
  expect([form.isOpen.value, form.busy.value, loads.count, done]).toEqual([false, false, 2, ["made 7"]]);
});

test("a second sending waits for the answer to the first", async () => {
  const { node, form } = dialog();
  form.submit("once");
  form.submit("twice");
  await node.agree();
  expect(node.heard).toEqual(["7: once"]);
});

test("a refusal leaves it open with what was wrong, and is forgotten when it is opened anew", async () => {
  const { node, form, done } = dialog();
  form.submit("a name");
  await node.refuse(new Problem(422, "bad_fields", "The name is taken.", "Choose another.", [{ field: "name", reason: "taken" }]));
  expect([form.isOpen.value, form.problem.value?.message, done]).toEqual([true, "The name is taken.", []]);
  form.open(8);
  expect(form.problem.value).toBeNull();
});

const problem = new Problem(422, "bad_fields", "This cannot be.", "Mend it.", [
  { field: "name", reason: "taken" }, { field: "parameters.levels", reason: "too many" }, { field: "settings.venue", reason: "unknown" },
]);
const errorsOf = (prefix?: string) => {
  let found: Record<string, string> = {};
  mount({ setup: () => ((found = useErrors(() => problem, prefix).errors.value), () => null) }, { global: { plugins: [i18n] } });
  return found;
};
test("what the node says of a field is found by the field's name inside its part of the form", () => {
  expect(errorsOf()).toEqual({ name: "taken", "parameters.levels": "too many", "settings.venue": "unknown" });
  expect(errorsOf("parameters")).toMatchObject({ levels: "too many", name: "taken" });
});

test("a field says what is wrong instead of its help", () => {
  const shown = (error?: string) => mount(FormField, { props: { field: "one", label: "One", help: "A number.", error } }).text();
  expect(shown()).toBe("OneA number.");
  expect(shown("Too many.")).toBe("OneToo many.");
});

test("a form that is not complete, or that waits, is not sent", async () => {
  const sent = (props: { ready?: boolean; busy: boolean }) => {
    const shown = mount(FormDialog, {
      props: { modelValue: true, title: "A form", submit: "Send", problem, ...props },
      global: { plugins: [i18n], stubs: { "el-dialog": { template: "<div><slot /></div>" }, "el-button": { template: "<button><slot /></button>" } } },
    });
    expect(shown.text()).toContain("This cannot be.Mend it.");
    return shown.find("form").trigger("submit").then(() => shown.emitted("submit")?.length ?? 0);
  };
  expect([await sent({ busy: false }), await sent({ busy: true }), await sent({ busy: false, ready: false })]).toEqual([1, 0, 0]);
});
