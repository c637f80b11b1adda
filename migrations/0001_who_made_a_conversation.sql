CREATE TABLE "conversation_counts" (
	"user_id" text PRIMARY KEY NOT NULL,
	"conversations" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "departures" (
	"conversation_id" text NOT NULL,
	"user_id" text NOT NULL,
	"invited" boolean DEFAULT false NOT NULL,
	CONSTRAINT "departures_conversation_id_user_id_pk" PRIMARY KEY("conversation_id","user_id")
);
--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "made_by" text;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "made_for" text;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "id_chosen" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "has_written" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "conversation_counts" ADD CONSTRAINT "conversation_counts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "departures" ADD CONSTRAINT "departures_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "departures" ADD CONSTRAINT "departures_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_made_by_users_id_fk" FOREIGN KEY ("made_by") REFERENCES "users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "conversations_purpose_key" ON "conversations" USING btree ("made_by","made_for");--> statement-breakpoint
CREATE INDEX "conversations_made_by_idx" ON "conversations" USING btree ("made_by","created_at") WHERE "conversations"."type" = 'group';--> statement-breakpoint
UPDATE "conversations" SET
	"made_by" = "creator_id",
	"id_chosen" = "id" !~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
WHERE "type" = 'group';--> statement-breakpoint
INSERT INTO "conversation_counts" ("user_id", "conversations")
SELECT "user_id", count(*) FROM "members" GROUP BY "user_id";--> statement-breakpoint
UPDATE "members" SET "has_written" = true
FROM (SELECT DISTINCT "conversation_id", "sender_id" FROM "messages") AS "wrote"
WHERE "members"."conversation_id" = "wrote"."conversation_id" AND "members"."user_id" = "wrote"."sender_id";--> statement-breakpoint
UPDATE "users" SET "username" = normalize("username", NFC)
WHERE "username" IS NOT NFC NORMALIZED
	AND NOT EXISTS (
		SELECT FROM "users" AS "other"
		WHERE "other"."username" = normalize("users"."username", NFC)
			OR ("other"."id" < "users"."id" AND normalize("other"."username", NFC) = normalize("users"."username", NFC))
	);
