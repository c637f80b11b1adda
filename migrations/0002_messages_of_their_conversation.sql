ALTER TABLE "messages" DROP CONSTRAINT "messages_pkey";--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_id_conversation_id_pk" PRIMARY KEY("id","conversation_id");--> statement-breakpoint
ALTER TABLE "messages" DROP COLUMN "reply_quote";--> statement-breakpoint
UPDATE "messages" SET "message_type" = NULL, "is_story_reply" = false, "opens_conversation" = false
WHERE "deleted_at" IS NOT NULL;
